"""The messages that disputes handle: commands and facts, answers of the provider, its webhooks, timers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from handlers.disputes.model import dispute_id_of
from handlers.disputes.rules.answers import call_pending, call_refused, call_succeeded, call_unknown
from handlers.disputes.rules.commands import accept_dispute, submit_evidence
from handlers.disputes.rules.documents import record_document
from handlers.disputes.rules.due import expire, remind
from handlers.disputes.rules.reported import report
from handlers.needs import PAYMENT, REPORTED_PAYMENT, Need, Route

if TYPE_CHECKING:
    from handlers.needs import Key


def _named(message: Any) -> Key:
    return message.tenant, dispute_id_of(message.tenant, message.data.dispute_reference)


def _meant(message: Any) -> Key | None:
    object_id = message.data.object_id
    return None if object_id is None else (message.tenant, object_id)


def _order(message: Any) -> Key:
    return message.tenant, message.data.order_id


_NAMED: Final = Need("dispute", _named)
_NAMED_EVIDENCE: Final = Need("evidence", _named)
_MEANT: Final = Need("dispute", _meant)
_MEANT_EVIDENCE: Final = Need("evidence", _meant)
_DOCUMENTS: Final = Need("order_documents", _order)

ROUTES: Final[dict[str, Route]] = {
    "webhook.dispute_reported.v1": Route(report, (REPORTED_PAYMENT, _NAMED)),
    "checkout.evidence_submitted.v1": Route(submit_evidence, (PAYMENT, _NAMED, _NAMED_EVIDENCE, _DOCUMENTS)),
    "checkout.dispute_accepted.v1": Route(accept_dispute, (PAYMENT, _NAMED)),
    "checkout.shipment_recorded.v1": Route(record_document, (PAYMENT, _DOCUMENTS)),
}

OPERATIONS: Final = ("submit_evidence", "accept_dispute")
"""What disputes ask their provider for; the answers come back to them."""

_ANSWER: Final = (PAYMENT, _MEANT, _MEANT_EVIDENCE)
ANSWERS: Final[dict[str, Route]] = {
    "provider.call_succeeded.v1": Route(call_succeeded, _ANSWER),
    "provider.call_pending.v1": Route(call_pending, _ANSWER),
    "provider.call_declined.v1": Route(call_refused, _ANSWER),
    "provider.call_failed.v1": Route(call_refused, _ANSWER),
    "provider.call_unknown.v1": Route(call_unknown, _ANSWER),
}

TIMERS: Final[dict[str, Route]] = {
    "evidence_reminder": Route(remind, (PAYMENT, _MEANT)),
    "evidence_expiry": Route(expire, (PAYMENT, _MEANT)),
}
