"""Balances and trial balances: right to the penny, in words, and honest about a difference."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from db.connection import connect
from ops.inspect.balances import balances, trial_balances

if TYPE_CHECKING:
    from tests.conftest import Connection, Database
    from tests.ops.inspect.conftest import Commands, PointedAt

# 19.99 + 25.00 + 10.00 + 15.00 EUR, 1500 JPY, 12.345 KWD, less 2.5% and 0.30 EUR, 40 JPY, 0.120 KWD.
PAYABLE = {"EUR": 6735, "JPY": 1422, "KWD": 11916}
FEES = {"EUR": 264, "JPY": 78, "KWD": 429}
TAKEN = {"EUR": 6999, "JPY": 1500, "KWD": 12345}


async def test_trial_balances_add_up(reader: Connection) -> None:
    books = {book.currency: book for book in await trial_balances(reader)}
    assert {currency: book.debit_minor for currency, book in books.items()} == TAKEN
    assert {currency: book.off_by_minor for currency, book in books.items()} == dict.fromkeys(TAKEN, 0)
    for currency, book in books.items():
        held = {code.code: code.balance_minor for code in book.codes}
        assert held["merchant_payable"] == PAYABLE[currency]
        assert held["platform_fee_revenue"] == FEES[currency]


async def test_a_trial_balance_can_be_of_one_tenant_or_currency(reader: Connection) -> None:
    assert [book.currency for book in await trial_balances(reader, currency="JPY")] == ["JPY"]
    assert await trial_balances(reader, tenant="nobody") == []


async def test_balances_agree_with_their_lines(reader: Connection) -> None:
    kept = await balances(reader, "merchant_payable")
    assert kept == await balances(reader, "merchant_payable", from_lines=True)
    assert {account.currency: account.balance_minor for account in kept} == PAYABLE


async def test_the_trial_balance_is_printed_with_decimals(cli: Commands) -> None:
    shown = await cli.out("trial-balance")
    for word in ("Trial balance of acme in KWD", "12.345", "11.916", "0.429", "1,422", "67.35", "balanced"):
        assert word in shown


async def test_the_trial_balance_for_programs_is_in_minor_units(cli: Commands) -> None:
    (book,) = await cli.json("trial-balance", "--currency", "KWD")
    assert (book["debit_minor"], book["credit_minor"], book["off_by_minor"]) == (12345, 12345, 0)


async def test_a_balance_is_printed(cli: Commands) -> None:
    shown = await cli.out("balance", "merchant_payable", "--owner", "m1", "--currency", "EUR", "--from-lines")
    assert "67.35 EUR" in shown
    assert "BUT ITS LINES SAY" not in shown


async def test_an_unknown_account_is_an_error(cli: Commands) -> None:
    result = await cli.run("balance", "merchant_payable", "--owner", "nobody", code=1)
    assert "there is no account merchant_payable of that name" in result.stderr


async def test_a_balance_that_differs_from_its_lines_is_shown_beside_them(
    spare: Database, pointed_at: PointedAt
) -> None:
    admin = await connect(spare.admin_url, application="intruder")
    await admin.execute(
        "UPDATE balances SET credit_minor = credit_minor + 100 WHERE (account_id, stripe) IN"
        " (SELECT account_id, min(stripe) FROM balances JOIN accounts USING (account_id)"
        " WHERE code = 'merchant_payable' AND currency = 'EUR' GROUP BY account_id)"
    )
    await admin.close()
    cli = pointed_at(spare)
    question = ("balance", "merchant_payable", "--currency", "EUR")
    assert "68.35 EUR" in await cli.out(*question)
    shown = await cli.out(*question, "--from-lines", code=1)
    assert "68.35 EUR" in shown
    assert "BUT ITS LINES SAY" in shown
    assert "67.35 EUR" in shown
    (told,) = await cli.json(*question, "--from-lines", code=1)
    assert (told["balance_minor"], told["from_lines"]["balance_minor"]) == (6835, 6735)
    assert "OFF BY -1.00 EUR" in await cli.out("trial-balance", code=1)


async def test_check_names_the_row_and_exits_1(spare: Database, pointed_at: PointedAt) -> None:
    cli = pointed_at(spare)
    assert "BROKEN" not in await cli.out("check", "--settled")
    admin = await connect(spare.admin_url, application="intruder")
    await admin.execute("UPDATE balances SET lines = lines + 1")
    await admin.execute("UPDATE payments SET metadata = '{}', state = 'canceled' WHERE order_id = 'k5'")
    await admin.close()
    shown = await cli.out("check", code=1)
    assert "law 2: Every balance is the sum of its lines" in shown
    assert "balance of merchant_payable of m1 in EUR of acme" in shown
    assert "is canceled at version 2; its transitions end in authorized at version 2" in shown
    verdicts = await cli.json("check", code=1)
    assert {verdict["law"] for verdict in verdicts if not verdict["ok"]} == {2, 5}


async def test_a_database_that_is_away_is_told(busy: Database, pointed_at: PointedAt) -> None:
    nowhere = re.sub(r":\d+/", ":1/", busy.read_url)
    away = replace(busy, app_url=nowhere, read_url=nowhere)
    for command in ("check", "trial-balance"):
        result = await pointed_at(away).run(command, code=2)
        assert "the database cannot be asked" in result.stderr
