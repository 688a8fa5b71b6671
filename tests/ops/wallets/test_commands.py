"""Wallets by hand, on a real Kafka and a real PostgreSQL: what comes, is held, goes, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.engines import broken_laws
from tests.ops.clerk import Clerk, at_the_desk
from tests.shop import TENANT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.conftest import Connection, Database

EUR: Final = "customer/cus_7/EUR"
OWN: Final = ("--tenant", TENANT)
PURCHASE: Final = ("--way", "purchase", "--payee", "m1", *OWN)
LATER: Final = ("--expires", "2099-01-01")


@pytest.fixture
async def clerk(database: Database, kafka: str, tmp_path: Path) -> AsyncIterator[Clerk]:
    """Somebody at the desk, and an open wallet with 50.00 EUR."""
    async with at_the_desk(database, kafka, tmp_path) as clerk:
        await clerk.run("wallets", "open", EUR, *OWN)
        told = await clerk.out("wallets", "credit", EUR, "50.00", "--way", "bank_transfer", *OWN)
        assert told == f"done; {EUR} has 50.00 EUR available, 50.00 EUR posted, 0.00 EUR held\n"
        yield clerk


async def test_a_hold_is_posted_in_part_and_the_rest_let_go(clerk: Clerk, admin: Connection) -> None:
    told = await clerk.out("wallets", "hold", EUR, "h1", "30", *LATER, *OWN)
    assert "20.00 EUR available, 50.00 EUR posted, 30.00 EUR held" in told
    shown = await clerk.out("wallets", "show", EUR)
    assert "h1" in shown
    assert "2099-01-01 00:00:00 UTC" in shown
    told = await clerk.out("wallets", "post", EUR, "h1", "10.50", "--more-to-come", *PURCHASE)
    assert "20.00 EUR available, 39.50 EUR posted, 19.50 EUR held" in told
    told = await clerk.out("wallets", "void", EUR, "h1", *OWN)
    assert "39.50 EUR available, 39.50 EUR posted, 0.00 EUR held" in told
    wallet = await clerk.json("wallets", "show", EUR)
    assert (wallet["available_minor"], wallet["holds"]) == (3950, [])
    assert "state_forbids" in await clerk.refused("wallets", "void", EUR, "h1", *OWN)
    assert await broken_laws(admin) == []


async def test_more_than_there_is_is_refused_in_words_unless_an_overdraft_allows_it(
    clerk: Clerk, admin: Connection
) -> None:
    refused = await clerk.refused("wallets", "spend", EUR, "50.01", *PURCHASE)
    assert f"refused: 50.01 EUR is more than there is: {EUR} has 50.00 EUR available" in refused
    assert "(limit_reached)" in refused
    limit = ("wallets", "limit", EUR, "prepaid_balance")
    await clerk.run(*limit, "0.01", "--note", "a cent of trust", *OWN)
    assert "0.00 EUR available, -0.01 EUR posted" in await clerk.out(
        "wallets", "spend", EUR, "50.01", *PURCHASE
    )
    await clerk.run(*limit, "0", "--note", "no more", *OWN)
    (two, one) = (await clerk.json("wallets", "show", EUR))["limit_versions"]
    assert (two["version"], two["overdraft_minor"]) == (2, 0)
    assert (one["version"], one["overdraft_minor"], one["note"]) == (1, 1, "a cent of trust")
    assert await broken_laws(admin) == []


async def test_grants_are_spent_first_in_their_order_and_shown_with_what_is_left(clerk: Clerk) -> None:
    grant = ("wallets", "grant", EUR)
    await clerk.run(*grant, "5", "--id", "spring", "--priority", "20", *LATER, *OWN)
    await clerk.run(*grant, "3", "--id", "welcome", "--priority", "10", *LATER, *OWN)
    assert "grant_id_reused" in await clerk.refused(*grant, "5", "--id", "spring", *LATER, *OWN)
    await clerk.run("wallets", "spend", EUR, "4", *PURCHASE)
    (wallet,) = await clerk.json("wallets", "list", "--owner", "cus_7")
    left = [(bucket["owner"], bucket["priority"], bucket["posted_minor"]) for bucket in wallet["buckets"]]
    assert left == [("cus_7/spring", 20, 400), ("cus_7", 200, 0), ("cus_7", 300, 5000)]
    shown = (await clerk.out("wallets", "show", EUR)).splitlines()
    assert any("cus_7/spring" in line and "4.00 EUR" in line and "2099-01-01" in line for line in shown)


async def test_with_a_key_of_ones_own_a_credit_is_given_once(clerk: Clerk) -> None:
    again = ("wallets", "credit", EUR, "7", "--way", "bank_transfer", "--key", "transfer-9", *OWN)
    assert (await clerk.out(*again)).startswith("done; ")
    assert (await clerk.out(*again)).startswith(f"done before; {EUR} has 57.00 EUR available")
    other = ("wallets", "credit", EUR, "8", "--way", "bank_transfer", "--key", "transfer-9", *OWN)
    assert "idempotency_key_reused" in await clerk.refused(*other)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("credit", "customer/cus_7", "1", "--way", "card"), "write family/owner/currency"),
        (("credit", "nobody/cus_7/EUR", "1", "--way", "card"), "with a family of customer, merchant"),
        (("credit", "customer/cus_7/XYZ", "1", "--way", "card"), "write family/owner/currency"),
        (("credit", "customer/cus_7/JPY", "1.0", "--way", "card"), "JPY, which has none"),
        (("credit", EUR, "1.001", "--way", "card"), "EUR, which has 2"),
        (("credit", EUR, "1,000", "--way", "card"), "no thousands separators"),
        (("credit", EUR, "1e3", "--way", "card"), "rounded by a spreadsheet"),
        (("credit", EUR, "0", "--way", "card"), "is zero"),
        (("credit", EUR, "1", "--way", "card", "--actor", "4242 4242 4242 4242"), "actor"),
        (("hold", EUR, "h1", "1", "--expires", "tomorrow"), "neither a date"),
        (("limit", "merchant/m1/EUR", "merchant_payable", "1", "--note", "n"), "there is no wallet"),
        (("show", EUR), "there is no wallet"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value[:3]),
)
async def test_what_nobody_could_do_is_refused_before_it_is_sent(
    database: Database, kafka: str, tmp_path: Path, arguments: tuple[str, ...], why: str
) -> None:
    assert why in await Clerk(database, kafka, tmp_path).refused("wallets", *arguments, *OWN)


async def test_what_the_rules_forbid_is_refused_with_their_reason(clerk: Clerk) -> None:
    for arguments, why in (
        (("void", EUR, "h9"), "hold h9 is not known (hold_unknown)"),
        (("spend", EUR, "1", "--way", "theft", "--payee", "m1"), "(way_unknown)"),
        (("limit", EUR, "suspense", "1", "--note", "n"), "cannot have an overdraft (account_not_postable)"),
        (("open", EUR), "(wallet_exists)"),
        (("spend", EUR, "1", *PURCHASE, "--role", "support", "--way", "withdrawal"), "(way_unknown)"),
    ):
        assert why in await clerk.refused("wallets", *arguments, *OWN)


async def test_what_comes_before_its_wallet_is_said_to_wait(
    database: Database, kafka: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ops.cli.asking.WAITING_S", 0)
    async with at_the_desk(database, kafka, tmp_path) as clerk:
        told = await clerk.refused("wallets", "credit", EUR, "5", "--way", "card", *OWN, code=3)
    assert "it waits: wallet customer/cus_7/EUR is not open (wallet_unknown)" in told


async def test_without_a_worker_nothing_is_claimed_and_it_may_be_asked_again(
    database: Database, kafka: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ops.cli.asking.PATIENCE_S", 0.5)
    alone = Clerk(database, kafka, tmp_path)
    told = await alone.refused("wallets", "open", EUR, *OWN, "--actor", "ada", code=2)
    assert "no worker took it in within 0.5 s" in told
