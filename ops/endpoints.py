"""Where Kafka and PostgreSQL are: named by the settings, or the embedded stack, started when it is not running."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ops.embedded import Stack

if TYPE_CHECKING:
    from collections.abc import Callable

    from ops.settings import Settings


@dataclass(frozen=True, slots=True, repr=False)
class Places:
    """Addresses of both servers. The URLs hold passwords: never log them."""

    kafka: str
    database_url: str
    admin_url: str
    read_url: str


def places(settings: Settings, progress: Callable[[str], None] | None = None) -> Places:
    """The servers to use. Starts the embedded stack unless the settings name others.

    Raises:
        EmbeddedStackError: the embedded stack does not come up.
    """
    if settings.kafka_bootstrap_servers is not None and settings.database_url is not None:
        url = settings.database_url.get_secret_value()
        admin, read = settings.database_admin_url, settings.database_read_url
        return Places(
            settings.kafka_bootstrap_servers,
            url,
            admin.get_secret_value() if admin else url,
            read.get_secret_value() if read else url,
        )
    stack = Stack(settings.counterfoil_folder)
    endpoints = stack.up(progress or _tell)
    return Places(endpoints.kafka_bootstrap, endpoints.database_url, endpoints.admin_url, endpoints.read_url)


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
