"""Beancount, Fava and hledger take our journals, and come to our trial balance."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from beancount import loader
from beancount.core import data
from fava.application import create_app

from ops.exports.beancount import write_beancount
from ops.exports.hledger import write_hledger
from ops.exports.journal import ExportError, entries, open_accounts, tenant_of
from ops.exports.names import account_name
from ops.inspect.balances import trial_balances_before
from ops.statements.moments import Basis
from schemas.currencies import to_minor
from tests.ops.exports.conftest import AWKWARD, DAY
from tests.ops.statements.ledgers import START, post, sale

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Connection

END = datetime(2027, 1, 1, tzinfo=UTC)


async def written(
    connection: Connection, path: Path, basis: Basis = Basis.EFFECTIVE, before: datetime = END
) -> Path:
    """The books of acme in the format of the path's ending."""
    write = write_beancount if path.suffix == ".beancount" else write_hledger
    async with connection.transaction(isolation="repeatable_read"):
        opened = await open_accounts(connection, "acme", before, basis)
        with path.open("w") as to:
            await write(to, "acme", basis, opened, entries(connection, "acme", before, basis))
    return path


BEAN_CHECK: Final = str(Path(sys.executable).with_name("bean-check"))
"""Beside the Python of these tests, which need not be on the PATH."""


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """A program, and what it says."""
    return subprocess.run(command, check=False, capture_output=True, text=True)


async def trial(connection: Connection, basis: Basis, before: datetime = END) -> Counter[tuple[str, str]]:
    """(root and code, currency) -> debits less credits, from the trial balance."""
    return Counter(
        {
            (account_name(code.type, code.code, "X").rpartition(":")[0], book.currency): code.debit_minor
            - code.credit_minor
            for book in await trial_balances_before(connection, before, basis, tenant="acme")
            for code in book.codes
        }
    )


def of_postings(found: list[data.Directive]) -> Counter[tuple[str, str]]:
    """The same as Beancount understood the file."""
    totals: Counter[tuple[str, str]] = Counter()
    for transaction in data.filter_txns(found):
        for posting in transaction.postings:
            unit = posting.units
            assert unit is not None
            assert isinstance(unit.number, Decimal)
            assert unit.currency is not None
            code = posting.account.rpartition(":")[0]
            totals[code, unit.currency] += to_minor(unit.number, unit.currency)
    return totals


@pytest.mark.parametrize("basis", Basis)
async def test_beancount_comes_to_the_trial_balance(booked: Connection, tmp_path: Path, basis: Basis) -> None:
    path = await written(booked, tmp_path / "books.beancount", basis)
    found, errors, _options = loader.load_file(str(path))
    assert errors == []
    assert of_postings(found) == await trial(booked, basis)
    assert len(list(data.filter_txns(found))) == len(DAY)
    assert {entry.date for entry in data.filter_txns(found)} == {one.at(basis).date() for one in DAY}
    assert run(BEAN_CHECK, str(path)).returncode == 0


async def test_every_entry_names_its_number_and_cause(booked: Connection, tmp_path: Path) -> None:
    found, _errors, _options = loader.load_file(str(await written(booked, tmp_path / "books.beancount")))
    told = list(data.filter_txns(found))
    assert sorted(int(entry.meta["entry"]) for entry in told) == list(range(1, len(DAY) + 1))
    assert all(f"entry-{entry.meta['entry']}" in entry.links for entry in told)
    assert {entry.meta["object"] for entry in told} == {f"payment:{one.object_id}" for one in DAY}
    owners = {entry.meta["owner"] for entry in found if isinstance(entry, data.Open)}
    assert owners == {"sandbox", "platform", *AWKWARD}


async def test_bean_check_finds_a_line_that_is_missing_by_one_unit(
    booked: Connection, tmp_path: Path
) -> None:
    path = await written(booked, tmp_path / "books.beancount")
    text = path.read_text()
    changed = text.replace("  19.99 EUR", "  19.98 EUR").replace("  -19.69 EUR", "  -19.68 EUR")
    assert changed != text
    path.write_text(changed)
    _found, errors, _options = loader.load_file(str(path))
    assert errors
    assert run(BEAN_CHECK, str(path)).returncode == 1


async def test_books_up_to_a_moment_hold_no_more(booked: Connection, tmp_path: Path) -> None:
    before = START + timedelta(hours=1)
    path = await written(booked, tmp_path / "books.beancount", Basis.POSTING, before)
    found, errors, _options = loader.load_file(str(path))
    assert errors == []
    assert of_postings(found) == await trial(booked, Basis.POSTING, before)
    assert len(list(data.filter_txns(found))) == len(DAY) - 1


async def test_empty_books_are_a_journal_too(app: Connection, tmp_path: Path) -> None:
    found, errors, _options = loader.load_file(str(await written(app, tmp_path / "books.beancount")))
    assert (found, errors) == ([], [])
    assert "decimal-mark" in (await written(app, tmp_path / "books.journal")).read_text()


async def test_fava_opens_it_and_shows_our_balances(booked: Connection, tmp_path: Path) -> None:
    path = await written(booked, tmp_path / "books.beancount")
    fava = create_app([str(path)], load=True)
    client = fava.test_client()
    ledger = next(iter(fava.config["LEDGERS"].ledgers))
    assert ledger.errors == []
    slug = client.get("/").headers["Location"].split("/")[1]
    for page in ("balance_sheet", "income_statement", "trial_balance", "journal", "statistics"):
        answer = client.get(f"/{slug}/{page}/")
        assert answer.status_code == 200, page
    told = json.loads(client.get(f"/{slug}/api/trial_balance").text, parse_float=Decimal)
    (tree,) = told["data"]["trees"]
    assert Counter(dict(leaves(tree))) == await trial(booked, Basis.EFFECTIVE)


def leaves(tree: dict[str, Any]) -> Iterator[tuple[tuple[str, str], int]]:
    """The balances of Fava's tree, down to the account code."""
    if tree["account"].count(":") == 1:
        for currency, held in tree["balance_children"].items():
            yield (tree["account"], currency), to_minor(Decimal(held), currency)
    for child in tree["children"]:
        yield from leaves(child)


AMOUNT = re.compile(
    r"    (?P<account>[A-Z][A-Za-z0-9:-]+)  (?P<amount>-?[0-9.]+) (?P<currency>[A-Z]{3})(?P<held> = .*)?"
)
OTHER = re.compile(
    r"|; .*|decimal-mark \.|commodity 1000\.0* [A-Z]{3}|account [A-Z][A-Za-z0-9:-]+  ; code:\S+ owner:\S+"
    r"|\d{4}-\d\d-\d\d \* (\(\d+\) )?\w+|    ; [a-z_]+: [^,]*"
)


@pytest.mark.parametrize("basis", Basis)
async def test_an_hledger_journal_has_only_lines_of_the_grammar_and_our_totals(
    booked: Connection, tmp_path: Path, basis: Basis
) -> None:
    totals: Counter[tuple[str, str]] = Counter()
    for line in (await written(booked, tmp_path / "books.journal", basis)).read_text().splitlines():
        if found := AMOUNT.fullmatch(line):
            units = found["amount"].replace(".", "")
            totals[found["account"].rpartition(":")[0], found["currency"]] += int(units)
        else:
            assert OTHER.fullmatch(line.replace(", owner:", " owner:")), line
    assert totals == await trial(booked, basis)


async def test_hledger_checks_it_strictly_and_comes_to_our_totals(booked: Connection, tmp_path: Path) -> None:
    if shutil.which("hledger") is None:
        pytest.skip("hledger is not installed here; the grammar is tested above")
    path = await written(booked, tmp_path / "books.journal")
    assert run("hledger", "check", "--strict", "-f", str(path)).stderr == ""
    columns = ("-O", "csv", "--layout", "bare", "--depth", "2", "--flat", "-N")
    told = run("hledger", "balance", "-f", str(path), *columns).stdout
    rows = [line.strip('"').split('","') for line in told.splitlines()[1:]]
    assert {(code, unit): int(held.replace(".", "")) for code, unit, held in rows} == await trial(
        booked, Basis.EFFECTIVE
    )


async def test_whose_books_has_to_be_said_when_there_are_several(booked: Connection) -> None:
    assert await tenant_of(booked, None) == "acme"
    await post(booked, [sale(tenant="umbrella")])
    with pytest.raises(ExportError, match="acme, umbrella"):
        await tenant_of(booked, None)
    with pytest.raises(ExportError, match="no books of nobody"):
        await tenant_of(booked, "nobody")
