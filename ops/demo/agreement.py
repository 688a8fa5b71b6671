"""The provider's own books against ours: what it took, what it gave back, and how each dispute stands (law 6)."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Final

from db.queries import demo as sql
from ops.checks import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from db.connection import Connection
    from ops.demo.provider import Provider

NAMED_AT_MOST: Final = 20
AT_ONCE: Final = 16
PROVIDER: Final = "sandbox"
"""Whose accounts are compared: the others' are the finance desk's."""
WENT_BACK: Final = ("refunded_amount_minor", "disputed_amount_minor", "returned_amount_minor")


async def provider_agrees(
    provider: Provider, connection: Connection, owed_before: Mapping[str, int]
) -> Verdict:
    """Whether the provider took, less what went back and its charges for disputes, what ours say it owes us."""
    theirs = Counter[str]()
    for row in await provider.totals():
        went_back_minor = sum(row[name] for name in WENT_BACK)
        theirs[row["currency"]] += row["captured_amount_minor"] - went_back_minor
    for row in await sql.money_of_disputes(connection):
        theirs[row["currency"]] -= row["dispute_fees_minor"]
    owed = await sql.owed_by_provider(connection, provider=PROVIDER)
    ours = Counter({row["currency"]: row["balance_minor"] for row in owed})
    ours.subtract(owed_before)
    currencies = sorted(theirs.keys() | ours.keys())
    offenders = [
        f"{currency}: the provider owes {theirs[currency]}, our books say {ours[currency]} (minor units)"
        for currency in currencies
        if theirs[currency] != ours[currency]
    ]
    title = "The provider took and gave back what our books say"
    return Verdict(6, title, not offenders, len(currencies), offenders, len(offenders))


async def disputes_agree(provider: Provider, connection: Connection) -> Verdict:
    """Whether every dispute stands at the provider as we know it, with the same money withheld and charged."""
    known = [dict(row) for row in await sql.disputes_known(connection)]
    turnstile = asyncio.Semaphore(AT_ONCE)

    async def differs(ours: dict[str, Any]) -> str | None:
        async with turnstile:
            theirs = await provider.dispute_of(ours["dispute_reference"])
        told = (theirs["status"], theirs["funds_minor"], theirs["fee_minor"])
        booked = (ours["reported_status"], ours["withdrawn_minor"], ours["fee_minor"])
        about = f"{ours['order_id']}: dispute {ours['dispute_reference']} {ours['currency']}"
        return None if told == booked else f"{about} is {told} at the provider, {booked} with us"

    found = [problem for problem in await asyncio.gather(*map(differs, known)) if problem]
    title = "Every dispute stands as it does at the provider"
    return Verdict(6, title, not found, len(known), found[:NAMED_AT_MOST], len(found))
