"""A provider without HTTP: a processor over books in memory, with its clock in the test's hands."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any

import orjson

from ops.sandbox import messages
from ops.sandbox.clock import Clock
from ops.sandbox.messages import DAY_MS
from ops.sandbox.processor import Answer, Command, Processor
from ops.sandbox.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ops.sandbox.resources import Document


APPROVED = "tok_approve"  # no secret
NOON = datetime(2026, 3, 28, 12, tzinfo=UTC)
"""The day before Europe's clocks go forward, which is nothing to the provider."""


def processor_over(file: Path | None = None) -> Processor:
    """A provider whose real clock stands still."""
    store = Store(file)
    return Processor(store, Clock(store, lambda: NOON), "http://sandbox.test", DAY_MS)


@dataclass
class Bench:
    """Ask, and look. Every answer is the document of the body, with its status under `http_status`."""

    processor: Processor = field(default_factory=processor_over)
    keys: Iterator[int] = field(default_factory=lambda: count(1))

    def ask(self, body: messages.Request, about: str | None = None, key: str | None = None) -> Document:
        """Carry out one request under a key of its own."""
        answer = self.processor.submit(Command(key or f"key-{next(self.keys)}", about, body))
        assert isinstance(answer, Answer)
        return {**orjson.loads(answer.body), "http_status": answer.http_status}

    def pay(
        self, token: str = APPROVED, amount_minor: int = 10_000, currency: str = "EUR", **fields: Any
    ) -> str:
        """Take money; the authorization's id."""
        body: dict[str, Any] = {
            "amount_minor": amount_minor,
            "currency": currency,
            "payment_method": {
                "type": "bank_debit" if token.startswith("tok_debit") else "card",
                "token": token,
            },
            "capture": True,
            "reference": "order-1",
            "metadata": {"tenant": "acme", "order_id": "order-1"},
        }
        asked = messages.AuthorizationRequest.model_validate(body | fields)
        answer = self.ask(asked)
        return str(answer.get("authorization", answer)["id"])

    def refund(self, authorization_id: str, amount_minor: int) -> Document:
        """Give money back."""
        metadata = {"tenant": "acme", "order_id": "order-1", "refund_id": "r-1"}
        return self.ask(
            messages.RefundRequest(amount_minor=amount_minor, metadata=metadata), authorization_id
        )

    def dispute(self, authorization_id: str, stage: str = "chargeback", **fields: Any) -> Document:
        """The customer disputes."""
        body = {"authorization_id": authorization_id, "stage": stage}
        return self.ask(messages.DisputeRequest.model_validate(body | fields))

    def days_pass(self, days: float) -> None:
        """Move the clock, and let come to pass what is due."""
        self.processor.clock.advance(int(days * DAY_MS))
        self.processor.catch_up()

    def status(self, authorization_id: str) -> str:
        """Where an authorization stands."""
        found = self.processor.store.authorization(authorization_id)
        assert found is not None
        return found.status

    def dispute_now(self, dispute_id: str) -> tuple[str, str, int]:
        """A dispute's stage, status and what is withheld for it."""
        found = self.processor.store.authorization_of_dispute(dispute_id)
        assert found is not None
        [one] = [dispute for dispute in found.disputes if dispute.id == dispute_id]
        return one.stage, one.status, one.funds_minor

    def told(self) -> list[Document]:
        """Every event, oldest first."""
        events = self.processor.queue.told(after=0, row_limit=10_000)
        return [orjson.loads(orjson.dumps(one["event"])) for one in events]

    def types(self) -> list[str]:
        """The types of all events."""
        return [str(event["type"]) for event in self.told()]
