"""Files that are there whole or not at all, also when the machine stops in between."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class FileError(Exception):
    """A file cannot be written; the message says which and why."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to; when the block ends well, it takes its place, durably, else it is gone.

    Raises:
        FileError: it cannot be written: no room, no right, no such folder.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield part
            _settle(part)
            part.replace(path)
            _settle(path.parent)
        finally:
            part.unlink(missing_ok=True)
    except (ConnectionError, TimeoutError):
        raise  # the database's, while the block was reading
    except OSError as error:
        raise FileError(f"{path} cannot be written: {error.strerror or error}") from error


def _settle(path: Path) -> None:
    """What was written to a file or folder outlives the machine."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
