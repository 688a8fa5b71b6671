"""What the generator expects of the books, against what is there: every difference is an offence."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from db.queries import demo_books as sql
from ops.checks import Verdict
from ops.demo.books.script import DUPLICATE, Holding

if TYPE_CHECKING:
    from collections.abc import Mapping

    from db.connection import Connection
    from ops.demo.books.draft import Books

NAMED_AT_MOST: Final = 20


async def books_agree(connection: Connection, books: Books) -> list[Verdict]:
    """Whether every command ended as expected, and accounts, journals, wallets and periods are what follows."""
    script, expected = books.script, books.script.expected
    of = {"sources": sorted(script.sources)}
    by_source = of | {"tenants": [house.market.tenant for house in books.houses]}
    found = {
        (row["tenant"], row["event_id"]): row["reason"] or row["outcome"]
        if row["outcome"] != DUPLICATE
        else DUPLICATE
        for row in await sql.outcomes_of_sources(connection, **of)
    }
    posted = {
        (row["tenant"], row["code"], row["owner"], row["currency"]): row["signed_minor"]
        for row in await sql.posted_by_sources(connection, **by_source)
    }
    journals = {
        (row["tenant"], row["journal_id"]): row["state"]
        for row in await sql.journals_of_sources(connection, **of)
    }
    differences = {
        (row["tenant"], row["journal_id"]): row["difference_minor"]
        for row in await sql.conversions_of_tenants(connection, tenants=by_source["tenants"])
    }
    wallets = {
        (row["tenant"], row["name"]): Holding(row["posted_minor"], row["held_minor"], row["available_minor"])
        for row in await sql.wallets_of_sources(connection, **of)
    }
    holds = {
        (row["tenant"], row["wallet"], row["hold_id"]): (row["state"], row["posted_minor"])
        for row in await sql.holds_of_sources(connection, **of)
    }
    periods = {
        (row["tenant"], row["period"]): row["state"]
        for row in await sql.periods_of_tenants(connection, tenants=by_source["tenants"])
    }
    origins = Counter(
        (row["tenant"], row["period"], row["origin_effective_at"], row["effective_at"])
        for row in await sql.origins_of_tenants(connection, tenants=by_source["tenants"])
    )
    return [
        _verdict(5, "Every command to the books ended as its desk expected", expected.outcomes, found),
        _verdict(
            2,
            "The accounts hold what the desks and wallets booked",
            _moved(expected.accounts),
            _moved(posted),
        ),
        _verdict(5, "Every journal stands as its desk expected", expected.journals, journals),
        _verdict(
            10, "Every conversion's rounding difference is as expected", expected.differences, differences
        ),
        _verdict(7, "Every wallet holds what its own account says", expected.wallets, wallets),
        _verdict(7, "Every hold ended as its wallet's own account says", expected.holds, holds),
        _verdict(5, "Every period stands as finance left it", expected.periods, periods),
        _verdict(9, "What came late is in the open period, and nothing else", expected.origins, origins),
    ]


def _moved(accounts: Mapping[Any, int]) -> dict[Any, int]:
    """Accounts that are not at zero."""
    return {account: int(minor) for account, minor in accounts.items() if minor}


def _verdict(law: int, title: str, expected: Mapping[Any, Any], found: Mapping[Any, Any]) -> Verdict:
    offenders = [
        f"{_told(name)}: {_told(found.get(name))}, expected {_told(expected.get(name))}"
        for name in sorted(expected.keys() | found.keys())
        if expected.get(name) != found.get(name)
    ]
    return Verdict(law, title, not offenders, len(expected), offenders[:NAMED_AT_MOST], len(offenders))


def _told(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
