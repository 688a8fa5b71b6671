"""What a finance person asks of the books at the end of a play: journals, wallets, conversions, periods, proof."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from db.queries import demo_books as sql

if TYPE_CHECKING:
    from collections.abc import Mapping

    from db.connection import Connection
    from ops.demo.books.proof import Proof

MONEY: Final = ("posted", "held", "available", "credited", "granted", "spent", "expired")
"""Of wallets: what is in them now, of that reserved, what can be spent; and what came and went."""
_CAME_AND_WENT: Final = {
    "wallet_credited": "credited",
    "promotion_granted": "granted",
    "wallet_spent": "spent",
    "promotion_expired": "expired",
}
"""How the name of an entry's rule begins -> what it does to a wallet."""


@dataclass(frozen=True, slots=True)
class BooksSummary:
    """Amounts are minor units.

    `journals`: kind -> state -> number. `wallets`: currency -> number of wallets and MONEY. `holds`: state -> number.
    `conversions`: sold, by rate and arrived of each pair. `rounding`: what each account of differences holds, in
    words: positive is a cost. `periods`: each with its state, what was kept of it, and how much came late.
    """

    journals: Mapping[str, Mapping[str, int]]
    wallets: Mapping[str, Mapping[str, int]]
    holds: Mapping[str, int]
    conversions: tuple[Mapping[str, Any], ...]
    rounding: tuple[Mapping[str, Any], ...]
    periods: tuple[Mapping[str, Any], ...]
    proof: Proof

    def as_json(self) -> dict[str, Any]:
        """The report's members about the books."""
        return {
            "journals": self.journals,
            "wallets": self.wallets,
            "holds": self.holds,
            "conversions": {"by_pair": self.conversions, "rounding_differences": self.rounding},
            "periods": self.periods,
            "proof": asdict(self.proof),
        }


async def summarize(connection: Connection, proof: Proof) -> BooksSummary:
    """Read it from the database."""
    journals: dict[str, dict[str, int]] = defaultdict(dict)
    for row in await sql.journal_states(connection):
        journals[row["kind"]][row["state"]] = row["journals"]
    return BooksSummary(
        journals=dict(journals),
        wallets=await _wallets(connection),
        holds={row["state"]: row["holds"] for row in await sql.hold_states(connection)},
        conversions=tuple(dict(row) for row in await sql.conversion_money(connection)),
        rounding=tuple(dict(row) for row in await sql.rounding_differences(connection)),
        periods=tuple(dict(row) for row in await sql.period_states(connection)),
        proof=proof,
    )


async def _wallets(connection: Connection) -> dict[str, dict[str, int]]:
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for row in await sql.wallet_money(connection):
        found[row["currency"]]["wallets"] += row["wallets"]
        for name in MONEY[:3]:
            found[row["currency"]][name] += row[f"{name}_minor"]
    for row in await sql.wallet_turnover(connection):
        for rule, name in _CAME_AND_WENT.items():
            if row["rule"].startswith(rule):
                found[row["currency"]][name] += row["amount_minor"]
    return {
        currency: {name: sums[name] for name in ("wallets", *MONEY)}
        for currency, sums in sorted(found.items())
    }
