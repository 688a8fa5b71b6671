"""Commands about journals: list, show, propose, convert, reverse, approve, refuse."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from pydantic import ValidationError
from rich.table import Table
from rich.text import Text

from db.queries import asking as asking_sql
from db.queries import journals as sql
from handlers.journals.states import State
from ops.cli.asking import (
    Actor,
    AsJson,
    Key,
    Limit,
    Note,
    OfTenant,
    Role,
    Tenant,
    Yes,
    acting,
    carry_out,
    carry_out_once,
    confirmed,
)
from ops.cli.written import minor, pairs, place, repost_of
from ops.desk.moments import moment_of
from ops.inspect.screen import ask, fail, show, show_json
from ops.inspect.words import moment, printable
from ops.journals.case import JournalCase, LookupFailedError, journal_case
from ops.journals.drafts import DraftError, balanced, conversion_legs, digest_of
from ops.journals.legs_file import LegsFileError, read_legs
from ops.journals.parts import commands_of, rows_of
from ops.journals.reversals import BookedEntry, ReversalError, booked_entry
from ops.journals.shown import case_parts, legs_table, moved, totals_table, waits_for
from ops.statements.moments import MomentError, zone_of
from schemas.actor import Actor as ActorData
from schemas.currencies import is_currency
from schemas.money import Rounding

if TYPE_CHECKING:
    from datetime import datetime

    from schemas.journal import LegData

commands = typer.Typer()
journals = typer.Typer(
    help="Manual journals: proposed by one person, posted when another approves.", no_args_is_help=True
)
commands.add_typer(journals, name="journals")

SHOWN_AT_MOST = 40

Name = Annotated[str, typer.Argument(help="The journal's name as it was proposed, or our id.")]
Reason = Annotated[str, typer.Option(help="Why; whoever approves reads it.")]
LegsFile = Annotated[Path, typer.Argument(help="CSV: account,owner,side,amount,currency. See docs/desk.md.")]
Id = Annotated[
    str | None, typer.Option("--id", help="Its name; by default it follows from what is proposed.")
]
Effective = Annotated[
    str | None,
    typer.Option(help="A date 2026-11-30 or a moment; by default today, where the tenant counts its days."),
]
Zone = Annotated[
    str | None, typer.Option(help="In which dates begin; by default that of the tenant's periods.")
]
References = Annotated[
    list[str] | None, typer.Option("--reference", help="name=value, as often as needed: ticket=OPS-17")
]
Legs = Annotated[Literal["table", "t-accounts"], typer.Option("--legs", help="How to show the legs.")]


@journals.command("list")
def list_journals(
    tenant: OfTenant = None,
    state: Annotated[State | None, typer.Option(help="Only those in this state.")] = None,
    limit: Limit = 50,
    *,
    as_json: AsJson = False,
) -> None:
    """List journals: those that wait for somebody first, by when they lapse; then the newest."""
    which = {"tenant": tenant, "state": state}

    async def found(connection: Any) -> tuple[list[Any], int]:
        return await sql.journals(connection, **which, most=limit), await sql.count_journals(
            connection, **which
        )

    rows, count = ask(found)
    if as_json:
        show_json([dict(row) for row in rows])
        return
    table = Table("journal", "tenant", "kind", "state", "moves", "legs", "by", "waits for", "until", "why")
    for row in rows:
        waits = row["state"] in {State.PROPOSED, State.COLLECTING}
        table.add_row(
            Text(printable(row["journal_id"])),
            row["tenant"],
            row["kind"],
            row["state"],
            moved(row["sums"]),
            f"{row['legs']:,}",
            Text(printable(row["proposed_by"])),
            Text(waits_for(row)),
            moment(row["act_by"]) if waits else "",
            Text(printable(row["note"])),
        )
    show(table)
    typer.echo(f"{len(rows)} of {count}")


@journals.command("show")
def show_journal(
    name: Name,
    tenant: OfTenant = None,
    legs: Legs = "table",
    limit: Annotated[int, typer.Option(min=1, help="How many legs to show.")] = 100,
    *,
    as_json: AsJson = False,
) -> None:
    """Show a journal: its legs, who proposed it, who must approve it, its entries, and what reverses what."""
    case = _case(name, tenant)
    if as_json:
        show_json(case.as_json())
    else:
        show(*case_parts(case, limit, as_t_accounts=legs == "t-accounts"))


@journals.command("propose")
def propose(  # noqa: PLR0913, PLR0917 - a command's options
    file: LegsFile,
    tenant: Tenant,
    reason: Reason,
    effective: Effective = None,
    zone: Zone = None,
    name: Id = None,
    reference: References = None,
    actor: Actor = None,
    role: Role = "finance",
    *,
    yes: Yes = False,
) -> None:
    """Propose the legs of a file as one journal. Another person posts it with `journals approve`.

    The same file, reason and date proposed again is the same journal, and nothing happens twice.
    """
    who = acting(actor, role)
    legs = _legs_of(file, who)
    at = _effective(tenant, effective, zone)
    try:
        balanced(legs)
    except DraftError as error:
        show(totals_table(legs))
        fail(str(error))
    journal_id = (
        f"journal-{at:%Y-%m-%d}-{digest_of(tenant, rows_of(legs), reason, at)}" if name is None else name
    )
    show(legs_table(legs, SHOWN_AT_MOST), totals_table(legs))
    confirmed(f"Propose it to {tenant} as {journal_id}, effective {moment(at)}?", yes=yes)
    head = {
        "reason": reason,
        "effective_at": at,
        "references": pairs("--reference", reference, "ticket=OPS-17"),
    }
    _proposed(tenant, journal_id, commands_of(journal_id, legs, head, who))


@journals.command("convert")
def convert(  # noqa: PLR0913, PLR0917 - a command's options
    tenant: Tenant,
    sell: Annotated[str, typer.Option(help="How much of what: '100.00 USD'.")],
    sold_from: Annotated[str, typer.Option("--from", help="From where: account/owner, bank_clearing/main.")],
    buy: Annotated[str, typer.Option(help="The other currency.")],
    into: Annotated[str, typer.Option(help="Into which account/owner.")],
    rate: Annotated[str, typer.Option(help="Units bought for one sold, exact: 0.9234.")],
    rate_source: Annotated[str, typer.Option(help="Whose rate it is: ecb.")],
    rate_at: Annotated[str, typer.Option(help="Of when: a date or a moment.")],
    reason: Reason,
    arrived: Annotated[str | None, typer.Option(help="What really arrived, if it is known: 92.35.")] = None,
    rounding: Annotated[Rounding, typer.Option(help="How the product is rounded.")] = Rounding.HALF_EVEN,
    effective: Effective = None,
    zone: Zone = None,
    name: Id = None,
    reference: References = None,
    actor: Actor = None,
    role: Role = "finance",
    *,
    yes: Yes = False,
) -> None:
    """Propose to sell one currency for another, through the trading accounts of both."""
    sold_text, _, sold_currency = sell.partition(" ")
    for code in (sold_currency, buy):
        if not is_currency(code):
            fail(f"{code!r} is no active ISO 4217 currency; write --sell '100.00 USD' --buy EUR")
    at = _effective(tenant, effective, zone)
    data: dict[str, Any] = {
        "actor": acting(actor, role),
        "sold": {"amount_minor": minor("--sell", sold_text, sold_currency), "currency": sold_currency},
        "sold_from": place("--from", sold_from),
        "currency": buy,
        "bought_into": place("--into", into),
        "rate": rate,
        "rate_source": rate_source,
        "rate_at": _effective(tenant, rate_at, zone),
        "rounding": rounding,
        "bought_minor": None if arrived is None else minor("--arrived", arrived, buy),
        "effective_at": at,
        "reason": reason,
        "references": pairs("--reference", reference, "ticket=OPS-17"),
    }
    journal_id = f"conversion-{at:%Y-%m-%d}-{digest_of(tenant, data)}" if name is None else name
    data |= {"journal_id": journal_id}
    try:
        legs, terms = conversion_legs(tenant, {**data, "idempotency_key": "draft"})
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False, include_context=False)[0]
        fail(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}")
    except DraftError as error:
        fail(str(error))
    show(legs_table(legs, SHOWN_AT_MOST), totals_table(legs))
    show(f"{terms['exact_minor']} minor units of {buy} by the rate, rounded {rounding}")
    confirmed(f"Propose it to {tenant} as {journal_id}, effective {moment(at)}?", yes=yes)
    _proposed(tenant, journal_id, [("ledger.conversion_proposed", data)])


@journals.command("reverse")
def reverse(  # noqa: PLR0913, PLR0917 - a command's options
    entry: Annotated[
        int, typer.Argument(min=1, max=2**63 - 1, help="The entry's number, as statements show it.")
    ],
    reason: Reason,
    tenant: OfTenant = None,
    lines: Annotated[
        str | None, typer.Option(help="Which lines, and how much: 1=10.00,2=10.00; all that is left without.")
    ] = None,
    effective: Annotated[
        Literal["original", "today"], typer.Option(help="At the entry's own date, or when it is approved.")
    ] = "today",
    instead: Annotated[
        Path | None,
        typer.Option(help="A CSV file of what should have been posted; it posts with the reversal."),
    ] = None,
    by_rule: Annotated[
        str | None,
        typer.Option(help="In place of --instead: a posting rule as it is today; see `chart --rules`."),
    ] = None,
    amounts: Annotated[
        list[str] | None,
        typer.Option("--amount", help="Of the rule, where the entry shows it not: fee=0.80."),
    ] = None,
    owners: Annotated[
        list[str] | None,
        typer.Option("--owner", help="Of the rule, where the entry shows it not: merchant=m2."),
    ] = None,
    name: Id = None,
    reference: References = None,
    actor: Actor = None,
    role: Role = "finance",
    *,
    yes: Yes = False,
) -> None:
    """Propose to take an entry back, whole or in part. Nothing is changed: a reversing entry is posted."""
    who = acting(actor, role)
    booked = _booked(entry, tenant)
    legs = [] if instead is None else _legs_of(instead, who)
    repost = None if by_rule is None else repost_of(by_rule, amounts, owners, booked.currency)
    if repost is None and (amounts or owners):
        fail("--amount and --owner are those of a rule: name it with --by-rule")
    try:
        asked = None if lines is None else booked.asked_lines(lines)
        back = booked.taken_back(asked)
        replacing = legs if repost is None else booked.posted_anew(repost)
        if replacing:
            balanced(replacing)
    except (ReversalError, DraftError) as error:
        fail(str(error))
    data: dict[str, Any] = {
        "actor": who,
        "entry": booked.name,
        "lines": None if asked is None else [line.model_dump() for line in asked],
        "effective": effective,
        "legs": rows_of(legs),
        "repost": repost,
        "reason": reason,
        "references": pairs("--reference", reference, "ticket=OPS-17"),
    }
    left = [booked.reversed_minor]  # after a part was taken back, the same words ask for something else
    journal_id = (
        f"reversal-{entry}-{digest_of(booked.tenant, {**data, 'left': left})}" if name is None else name
    )
    show(legs_table(back, SHOWN_AT_MOST), totals_table(back))
    if replacing:
        show("instead of it", legs_table(replacing, SHOWN_AT_MOST), totals_table(replacing))
    when = moment(booked.effective_at) if effective == "original" else "when it is approved"
    confirmed(f"Propose it to {booked.tenant} as {journal_id}, effective {when}?", yes=yes)
    _proposed(booked.tenant, journal_id, [("ledger.reversal_proposed", {**data, "journal_id": journal_id})])


@journals.command("approve")
def approve(
    name: Name,
    note: Note,
    tenant: OfTenant = None,
    actor: Actor = None,
    role: Role = "finance",
    *,
    yes: Yes = False,
) -> None:
    """Look at a journal that somebody else proposed, and post it."""
    case = _case(name, tenant)
    who = acting(actor, role)
    show(*case_parts(case, SHOWN_AT_MOST))
    confirmed(f"Post it, as {who['id']} of {role}?", yes=yes)
    own = case.journal["tenant"], case.journal["journal_id"]
    data = {"journal_id": own[1], "actor": who, "note": note, "reverses": case.reverses}
    carry_out(own[0], [("ledger.journal_approved", data)])
    for row in _case(own[1], own[0]).entries:
        typer.echo(
            f"posted as entry {row['entry_id']} ({row['rule']}), effective {moment(row['effective_at'])}"
        )


@journals.command("refuse")
def refuse(
    name: Name,
    note: Note,
    tenant: OfTenant = None,
    actor: Actor = None,
    role: Role = "finance",
    key: Key = None,
) -> None:
    """Decide against a journal, or withdraw one of your own."""
    journal = _case(name, tenant).journal
    data = {"journal_id": journal["journal_id"], "actor": acting(actor, role), "note": note}
    carry_out(journal["tenant"], [("ledger.journal_refused", data)], key)
    typer.echo(f"{journal['journal_id']} is refused")


def _proposed(tenant: str, journal_id: str, asked: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    """Send a proposal, and say where it stands and who is next."""
    key = f"propose-{digest_of(tenant, asked)}"
    answer = carry_out_once(tenant, asked, key)
    journal = _case(journal_id, tenant).journal
    before = "was proposed before, and " if answer.is_repeat else ""
    typer.echo(f"{journal_id} {before}is {journal['state']}")
    if journal["state"] == State.PROPOSED:
        typer.echo(f"it waits for {waits_for(journal)}, until {moment(journal['act_by'])}:")
        typer.echo(f"counterfoil journals approve {shlex.quote(journal_id)} --tenant {tenant} --note WHY")
    elif answer.is_repeat:
        typer.echo("To propose it once more, give it another name with --id.")


def _case(name: str, tenant: str | None) -> JournalCase:
    try:
        return ask(lambda connection: journal_case(connection, name, tenant))
    except LookupFailedError as error:
        fail(str(error))


def _booked(entry: int, tenant: str | None) -> BookedEntry:
    try:
        return ask(lambda connection: booked_entry(connection, entry, tenant))
    except LookupFailedError as error:
        fail(str(error))


def _legs_of(file: Path, who: Mapping[str, str]) -> list[LegData]:
    try:
        return read_legs(file, ActorData.model_validate(who))
    except LegsFileError as error:
        fail(f"{file.name}:\n{error}")
    except ValidationError as error:
        fail(f"--actor: {error.errors()[0]['msg']}")


def _effective(tenant: str, text: str | None, zone: str | None) -> datetime:
    """The moment that is meant; without a text, the start of the tenant's today."""
    row = ask(lambda connection: asking_sql.tenant_now(connection, tenant=tenant))
    place = row["zone"] if zone is None else zone
    try:
        return moment_of(
            f"{row['now_at'].astimezone(zone_of(place)):%Y-%m-%d}" if text is None else text, place
        )
    except MomentError as error:
        fail(str(error))
