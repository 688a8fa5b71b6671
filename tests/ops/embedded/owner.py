"""A program that owns a stack, for tests that kill it: `python -m tests.ops.embedded.owner FOLDER`."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from ops.embedded import Stack

if __name__ == "__main__":
    Stack(Path(sys.argv[1]), owned=True).up()
    print("up", flush=True)  # noqa: T201  the test waits for it
    signal.pause()
