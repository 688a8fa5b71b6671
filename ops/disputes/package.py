"""The evidence package of a dispute: all that is known of it, as files for the person who answers the bank.

dispute.json     where it stands: dispute, payment, history, ledger entries, calls
documents.json   what was sent or said for the order
evidence/1.json  what was submitted, in the canonical form whose SHA-256 is in dispute.json
messages/        every message about the order, word for word
SHA256SUMS       of all of these, for `sha256sum --check`
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import orjson

from db.queries import disputes as sql
from handlers.disputes.evidence import canonical

if TYPE_CHECKING:
    from pathlib import Path

    from db.connection import Connection

SUMS: Final = "SHA256SUMS"
_UNFIT: Final = re.compile(r"[^A-Za-z0-9._-]+")
LONGEST_NAME: Final = 80


class PackageError(Exception):
    """The package cannot be made; the message says why."""


@dataclass(frozen=True, slots=True)
class CaseFile:
    """All that is known of a dispute. `messages` are rows with their bodies as they came."""

    dispute: dict[str, Any]
    payment: dict[str, Any]
    steps: list[dict[str, Any]]
    evidence: list[dict[str, Any]]
    documents: list[dict[str, Any]]
    entries: list[dict[str, Any]]
    calls: list[dict[str, Any]]
    messages: list[dict[str, Any]]

    def as_json(self) -> dict[str, Any]:
        """For programs; a body as text, with what is not UTF-8 replaced."""
        messages = [row | {"body": row["body"].decode(errors="replace")} for row in self.messages]
        names = ("dispute", "payment", "steps", "evidence", "documents", "entries", "calls")
        return {name: getattr(self, name) for name in names} | {"messages": messages}


async def case_file(connection: Connection, name: str, tenant: str | None) -> CaseFile | None:
    """The dispute with this provider's name or id of ours; None when there is none.

    Raises:
        PackageError: several tenants have one of that name.
    """
    found = await sql.disputes_named(connection, name=name, object_id=_uuid(name), tenant=tenant)
    if not found:
        return None
    if len(found) > 1:
        tenants = ", ".join(row["tenant"] for row in found)
        raise PackageError(f"dispute {name} is one of several tenants ({tenants}): say which")
    dispute = dict(found[0])
    own = {"tenant": dispute["tenant"], "object_id": dispute["object_id"]}
    paid = {"tenant": dispute["tenant"], "payment_id": dispute["payment_id"]}
    payment = await sql.payment_of_dispute(connection, **paid)
    order_id, keys = dispute["order_id"], [dispute["order_id"], dispute["provider_reference"]]
    return CaseFile(
        dispute,
        _without_token(dict(payment)),
        _rows(await sql.steps_of_dispute(connection, **own, payment_id=dispute["payment_id"])),
        _rows(await sql.evidence_of_dispute(connection, **own)),
        _rows(await sql.documents_of_order(connection, tenant=dispute["tenant"], order_id=order_id)),
        _rows(await sql.entries_of_dispute(connection, **own)),
        _rows(await sql.calls_of_dispute(connection, **own, payment_id=dispute["payment_id"])),
        _rows(await sql.messages_of_order(connection, tenant=dispute["tenant"], keys=keys)),
    )


def files_of(case: CaseFile) -> dict[str, bytes]:
    """The package: path within it -> content. The same case gives the same bytes."""
    standing = {
        "dispute": case.dispute,
        "payment": case.payment,
        "steps": case.steps,
        "evidence": [
            {key: row[key] for key in ("version", "sha256", "links", "submitted_by", "submitted_at")}
            for row in case.evidence
        ],
        "entries": case.entries,
        "calls": case.calls,
    }
    files = {"dispute.json": _json(standing), "documents.json": _json(case.documents)}
    for row in case.evidence:
        files[f"evidence/{row['version']}.json"] = canonical(row["fields"], row["links"])
    for number, row in enumerate(case.messages, 1):
        files[f"messages/{number:04}-{_plain(row['type'])}.json"] = row["body"]
    sums = (f"{sha256(content).hexdigest()}  {path}\n" for path, content in sorted(files.items()))
    return {**files, SUMS: "".join(sums).encode()}


def write(files: dict[str, bytes], folder: Path) -> None:
    """Write the package into a folder that is new or empty.

    Raises:
        PackageError: the folder holds something, or cannot be written.
    """
    try:
        if folder.exists() and any(folder.iterdir()):
            raise PackageError(f"{folder} is not empty")
        for path, content in files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    except OSError as error:
        raise PackageError(f"{folder} cannot be written: {error.strerror}") from error


def _rows(records: list[Any]) -> list[dict[str, Any]]:
    return [dict(record) for record in records]


def _json(content: Any) -> bytes:
    return orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE, default=str)


def _without_token(payment: dict[str, Any]) -> dict[str, Any]:
    """What may leave the house does not name the provider's token of the customer's method."""
    return {name: content for name, content in payment.items() if name != "method_token"}


def _plain(text: str) -> str:
    return _UNFIT.sub("_", text)[:LONGEST_NAME]


def _uuid(name: str) -> UUID | None:
    try:
        return UUID(name)
    except ValueError:
        return None
