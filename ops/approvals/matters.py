"""Everything that waits for a person, as one list: the oldest first, each with the command that decides it."""

from __future__ import annotations

import shlex
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from db.queries import approvals as sql
from db.queries import operator as operator_sql
from handlers.journals.legs import debits_of
from handlers.payments.policy import DECIDERS, is_large
from handlers.periods.states import MAY, Trigger
from ops.desk.roles import deciders
from ops.inspect.words import amount

if TYPE_CHECKING:
    from datetime import datetime

    from db.connection import Connection


@dataclass(frozen=True, slots=True)
class Matter:
    """Something that a person has to decide.

    `who` may decide it; `by` is until when, or None when it waits as long as it takes; `commands` decide it, and are
    to be completed where words are in capitals.
    """

    kind: str
    tenant: str
    name: str
    about: str
    since: datetime
    who: str
    by: datetime | None
    commands: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return asdict(self)


Find = Callable[["Connection", str | None, int], Awaitable[list[Matter]]]


async def matters(connection: Connection, tenant: str | None, kind: str | None, most: int) -> list[Matter]:
    """What waits, of one tenant and kind or of all: at most `most`, those that have waited longest."""
    found = [
        matter
        for name, find in KINDS.items()
        if kind in {None, name}
        for matter in await find(connection, tenant, most)
    ]
    return sorted(found, key=lambda matter: (matter.since, matter.kind, matter.name))[:most]


async def times(connection: Connection) -> dict[str | None, datetime]:
    """Tenant -> its time, where a test clock says it; None -> everyone else's."""
    return {row["tenant"]: row["now_at"] for row in await sql.tenants_times(connection)}


async def _refunds(connection: Connection, tenant: str | None, most: int) -> list[Matter]:
    return [
        Matter(
            "refund",
            row["tenant"],
            f"{row['order_id']} {row['refund_id']}",
            f"{amount(row['amount_minor'], row['currency'])}, {row['cause']} {row['note']}".rstrip(),
            row["requested_at"],
            deciders(row["needs_approval_of"] or "finance", row["requested_by"]),
            row["act_by"],
            tuple(
                _command(
                    "approvals",
                    word,
                    row["order_id"],
                    row["refund_id"],
                    tenant=row["tenant"],
                    role=row["needs_approval_of"],
                )
                for word in ("approve-refund", "refuse-refund")
            ),
        )
        for row in await sql.refunds_to_approve(connection, tenant=tenant, most=most)
    ]


async def _journals(connection: Connection, tenant: str | None, most: int) -> list[Matter]:
    return [
        Matter(
            "journal",
            row["tenant"],
            row["journal_id"],
            f"{row['kind']} of {row['legs']:,} legs, {_moved(row['sums'])}: {row['note']}",
            row["proposed_at"],
            deciders(row["needs_approval_of"], row["proposed_by"]),
            row["act_by"],
            tuple(
                _command(
                    "journals", word, row["journal_id"], tenant=row["tenant"], role=row["needs_approval_of"]
                )
                for word in ("approve", "refuse")
            ),
        )
        for row in await sql.journals_to_approve(connection, tenant=tenant, most=most)
    ]


async def _reopenings(connection: Connection, tenant: str | None, most: int) -> list[Matter]:
    who = " or ".join(sorted(MAY[Trigger.APPROVE_REOPENING]))
    return [
        Matter(
            "period",
            row["tenant"],
            row["period"],
            "closed, to be open again",
            row["updated_at"],
            f"{who}, but not {row['reopening_requested_by']}",
            None,
            tuple(_command("periods", word, row["tenant"], row["period"]) for word in ("approve", "refuse")),
        )
        for row in await sql.reopenings_to_approve(connection, tenant=tenant, most=most)
    ]


async def _calls(connection: Connection, tenant: str | None, most: int) -> list[Matter]:
    """Calls whose outcome nobody knows: a person decides those of payments, the provider those of the others."""
    return [
        Matter(
            "call",
            row["tenant"],
            str(row["call_id"]),
            f"did {row['provider']} {row['call_operation']} "
            f"{amount(row['call_amount_minor'], row['currency'])} for {_object(row)}?",
            row["asked_at"],
            _call_deciders(row),
            row["deadline_at"],
            _call_commands(row),
        )
        for row in await operator_sql.unknown_outcomes(connection, tenant=tenant, most=most)
    ]


async def _disputes(connection: Connection, tenant: str | None, most: int) -> list[Matter]:
    return [
        Matter(
            "dispute",
            row["tenant"],
            row["dispute_reference"],
            f"{row['stage']} over {amount(row['amount_minor'], row['currency'])} of order {row['order_id']}: "
            f"{row['network_reason']}",
            row["opened_at"],
            "the merchant's people, with evidence",
            row["evidence_due_at"],
            (
                _command(
                    "approvals",
                    "answer-dispute",
                    row["dispute_reference"],
                    "EVIDENCE.json",
                    tenant=row["tenant"],
                    why=False,
                ),
                _command("approvals", "accept-dispute", row["dispute_reference"], tenant=row["tenant"]),
            ),
        )
        for row in await sql.disputes_to_answer(connection, tenant=tenant, most=most)
    ]


KINDS: Final[dict[str, Find]] = {
    "refund": _refunds,
    "journal": _journals,
    "period": _reopenings,
    "call": _calls,
    "dispute": _disputes,
}
"""Kind -> how what waits of it is found."""


def _command(*words: str, tenant: str | None = None, role: str | None = None, why: bool = True) -> str:
    named = [*words, *(["--tenant", tenant] if tenant else []), *(["--role", role] if role else [])]
    return f"counterfoil {shlex.join(named)}{' --note WHY' if why else ''}"


def _moved(sums: dict[str, int]) -> str:
    return ", ".join(amount(minor, currency) for currency, minor in debits_of(sums).items())


def _object(row: Any) -> str:
    order = f"order {row['order_id']}"
    return (
        order if row["object_type"] == "payment" else f"{row['object_type']} {row['object_name']} of {order}"
    )


def _call_deciders(row: Any) -> str:
    if row["object_type"] != "payment":
        return f"{row['provider']}, by an answer or a webhook; look in its console"
    who = " or ".join(sorted(DECIDERS))
    return f"{who}, two who say the same" if is_large(row["call_amount_minor"], row["currency"]) else who


def _call_commands(row: Any) -> tuple[str, ...]:
    if row["object_type"] != "payment":
        return (f"counterfoil explain payment {shlex.quote(row['order_id'])}",)
    call = ("calls", "resolve", str(row["call_id"]))
    happened = (
        f"counterfoil {shlex.join([*call, 'succeeded'])} --amount-minor MINOR --reference ID --note WHY"
    )
    return happened, _command(*call, "no_effect")
