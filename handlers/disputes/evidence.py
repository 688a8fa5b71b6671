"""The evidence package: what is sent, in one canonical form, under its hash."""

from __future__ import annotations

from hashlib import sha256
from json import JSONEncoder
from typing import TYPE_CHECKING, Final

from handlers.disputes.model import Evidence

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from handlers.disputes.model import Dispute, OrderDocument
    from schemas.dispute import EvidenceSubmittedData

Link = dict[str, str]

_encode: Final = JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


def canonical(fields: Mapping[str, str], links: Iterable[Mapping[str, object]]) -> bytes:
    """The evidence as it is hashed: one JSON object, keys sorted, no blanks, UTF-8 (RFC 8785 for texts)."""
    return _encode({"fields": dict(fields), "links": [dict(link) for link in links]}).encode()


def digest(fields: Mapping[str, str], links: Iterable[Mapping[str, object]]) -> str:
    """Its SHA-256, in hexadecimal; `check` computes the same from the stored row."""
    return sha256(canonical(fields, links)).hexdigest()


def evidence_of(
    dispute: Dispute,
    number: int,
    data: EvidenceSubmittedData,
    documents: Iterable[OrderDocument],
    now: datetime,
) -> Evidence:
    """The `number`-th evidence for a dispute: the sender's texts and links, and what is on file for the order."""
    links = tuple(_links(dispute, data, documents))
    fields: dict[str, str] = {str(name): text for name, text in data.fields.items()}
    return Evidence(
        tenant=dispute.tenant,
        object_id=dispute.object_id,
        version=number,
        sha256=digest(fields, links),
        fields=fields,
        links=links,
        submitted_by=data.actor.id,
        submitted_at=now,
    )


def about(dispute: Dispute) -> tuple[Link, ...]:
    """What every dispute is about."""
    return (
        {"kind": "payment", "reference": str(dispute.payment_id)},
        {"kind": "order", "reference": dispute.order_id},
    )


def _links(
    dispute: Dispute, data: EvidenceSubmittedData, documents: Iterable[OrderDocument]
) -> Iterable[Link]:
    """Each document once: the sender's link says more than ours."""
    links = {(link["kind"], link["reference"]): link for link in about(dispute)}
    for document in documents:
        links[document.kind, document.reference] = _link(document.kind, document.reference, document.sha256)
    for named in data.links:
        known = links.get((named.kind, named.reference), {}).get("sha256")
        links[named.kind, named.reference] = _link(named.kind, named.reference, named.sha256 or known)
    return links.values()


def _link(kind: str, reference: str, sha256_hex: str | None) -> Link:
    return {"kind": kind, "reference": reference, **({"sha256": sha256_hex} if sha256_hex else {})}
