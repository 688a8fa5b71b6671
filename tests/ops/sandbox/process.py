"""The sandbox provider as a process of its own, started and ended by a test."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx
from pydantic import SecretStr

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

START_DEADLINE_S = 100
API_KEY = SecretStr("sandbox-test-key")


@dataclass(frozen=True)
class Sandbox:
    """A running provider."""

    url: str
    process: subprocess.Popen[str]

    def client(self) -> httpx.AsyncClient:
        """A plain HTTP client with the right key."""
        return httpx.AsyncClient(
            base_url=self.url,
            headers={"Authorization": f"Bearer {API_KEY.get_secret_value()}"},
            timeout=100,
            trust_env=False,
        )

    def kill(self) -> None:
        """End it without a chance to tidy up."""
        self.process.kill()
        self.process.wait()


@contextmanager
def running(
    *options: str, state: Path | None = None, environment: Mapping[str, str] | None = None
) -> Iterator[Sandbox]:
    """Start a provider on a free port and wait until it serves."""
    command = [sys.executable, "-m", "ops.sandbox", *options, *(["--state", str(state)] if state else [])]
    secrets = {"COUNTERFOIL_SANDBOX_API_KEY": API_KEY.get_secret_value(), **(environment or {})}
    with subprocess.Popen(command, env=os.environ | secrets, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            ready, _, _ = select.select([process.stdout], [], [], START_DEADLINE_S)
            announcement = process.stdout.readline() if ready else ""
            assert "listening on" in announcement, f"the provider did not start: {announcement!r}"
            yield Sandbox(announcement.split()[-1], process)
        finally:
            process.send_signal(signal.SIGTERM)
