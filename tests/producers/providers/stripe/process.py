"""localstripe as a process of its own, started and ended by a test, and what only a test may do with it."""

from __future__ import annotations

import importlib.util
import os
import select
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from pydantic import SecretStr

if TYPE_CHECKING:
    from collections.abc import Iterator

START_DEADLINE_S = 100
API_KEY = SecretStr("sk_test_counterfoil")
RETURN_URL = "https://shop.example/back"
PROGRAM = Path(__file__).with_name("localstripe_server.py")


@dataclass(frozen=True)
class LocalStripe:
    """A running server."""

    url: str

    def client(self) -> httpx.AsyncClient:
        """A plain HTTP client with a key that is let in."""
        return httpx.AsyncClient(
            base_url=self.url,
            headers={"Authorization": f"Bearer {API_KEY.get_secret_value()}"},
            timeout=100,
            trust_env=False,
        )


@contextmanager
def running() -> Iterator[LocalStripe]:
    """Start it on a free port and wait until it serves; skips where it is not installed."""
    if importlib.util.find_spec("localstripe") is None:
        pytest.skip("needs localstripe: pip install -r requirements/dev.txt")
    with subprocess.Popen(
        [sys.executable, str(PROGRAM)], env=dict(os.environ), stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            ready, _, _ = select.select([process.stdout], [], [], START_DEADLINE_S)
            announcement = process.stdout.readline() if ready else ""
            assert "listening on" in announcement, f"localstripe did not start: {announcement!r}"
            yield LocalStripe(announcement.split()[-1])
        finally:
            process.send_signal(signal.SIGTERM)


async def card(api: httpx.AsyncClient, number: str, fault: str | None = None) -> str:
    """A new payment method with one of Stripe's test numbers, and what is to go wrong with its payments."""
    made: dict[str, Any] = (
        (
            await api.post(
                "/v1/payment_methods",
                data={
                    "type": "card",
                    "card[number]": number,
                    "card[exp_month]": "12",
                    "card[exp_year]": "2030",
                    "card[cvc]": "123",
                },
            )
        )
        .raise_for_status()
        .json()
    )
    if fault is not None:
        (await api.post(f"/_config/faults/{made['id']}", json={"fault": fault})).raise_for_status()
    return str(made["id"])
