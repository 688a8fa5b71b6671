"""Commands about wallets: list, show, open, credit, grant, spend, hold, post, void, limit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.table import Table
from rich.text import Text

from db.queries import asking as asking_sql
from db.queries import wallet_standings as sql
from handlers.wallets.families import FAMILIES, WAYS_IN, WAYS_OUT
from ops.cli.asking import Actor, AsJson, Key, Limit, OfTenant, Role, Tenant, acting, carry_out
from ops.cli.written import minor, minor_or_zero
from ops.desk.moments import moment_of
from ops.inspect.screen import ask, fail, show, show_json
from ops.inspect.words import amount, moment, printable
from ops.statements.moments import MomentError
from ops.wallets.standing import Standing, standings
from schemas.currencies import is_currency
from schemas.reasons import Reason

if TYPE_CHECKING:
    from datetime import datetime

    from ops.desk.asking import Answer

commands = typer.Typer()
wallets = typer.Typer(
    help="Wallets: what somebody can spend; stored, promotional and prepaid.", no_args_is_help=True
)
commands.add_typer(wallets, name="wallets")

NAME_PARTS: Final = 3
MAY_BE_OVERDRAWN: Final = [plan.code for plans in FAMILIES.values() for plan in plans if plan.overdraft]

Name = Annotated[str, typer.Argument(help="family/owner/currency: customer/cus_7/EUR, merchant/m1/EUR.")]
Amount = Annotated[str, typer.Argument(help="In the wallet's currency, exact: 12.50.")]
Note = Annotated[str, typer.Option(help="Why; kept in the audit log.")]
HoldId = Annotated[str, typer.Argument(help="Your name for the hold.")]
WayIn = Annotated[str, typer.Option(help=f"How it comes: {', '.join(WAYS_IN)}.")]
WayOut = Annotated[str, typer.Option(help=f"How it goes: {', '.join(WAYS_OUT)}.")]
Payee = Annotated[str, typer.Option(help="Who gets it: the owner of the account on the other side.")]
Expires = Annotated[str, typer.Option(help="Until when: a date, which begins that day, or a moment.")]


@wallets.command("list")
def list_wallets(
    tenant: OfTenant = None,
    owner: Annotated[str | None, typer.Option(help="Only this owner's.")] = None,
    limit: Limit = 50,
    *,
    as_json: AsJson = False,
) -> None:
    """List wallets by name: what is posted, held and available."""

    async def found(connection: Any) -> tuple[list[Standing], int]:
        told = await standings(connection, tenant, owner=owner, most=limit)
        return told, await sql.count_wallets(connection, tenant=tenant, owner=owner)

    rows, count = ask(found)
    if as_json:
        show_json([one.as_json() for one in rows])
        return
    table = Table("wallet", "tenant", "posted", "held", "available")
    for column in table.columns[2:]:
        column.justify = "right"
    for one in rows:
        sums = (one.posted_minor, one.held_minor, one.available_minor)
        money = (amount(minor, one.wallet.currency) for minor in sums)
        table.add_row(Text(printable(one.wallet.name)), one.wallet.tenant, *money)
    show(table)
    typer.echo(f"{len(rows)} of {count}")


@wallets.command("show")
def show_wallet(name: Name, tenant: OfTenant = None, *, as_json: AsJson = False) -> None:
    """Show a wallet: its accounts in the order in which they are spent, its holds, and its limits."""
    one = _found(name, tenant)
    own = {"wallet": one.wallet.name, "tenant": one.wallet.tenant}

    async def more(connection: Any) -> tuple[list[Any], list[Any]]:
        return await sql.open_holds(connection, **own), await sql.limits_of_wallet(connection, **own)

    holds, limits = ask(more)
    if as_json:
        show_json(
            one.as_json()
            | {"holds": [dict(row) for row in holds], "limit_versions": [dict(row) for row in limits]}
        )
        return
    show(Text(_told(one), "bold"), _buckets_table(one))
    if holds:
        show(_holds_table(holds))
    if limits:
        show(_limits_table(limits, one.wallet.currency))


@wallets.command("open")
def open_wallet(
    name: Name, tenant: Tenant, note: Note = "", actor: Actor = None, role: Role = "finance"
) -> None:
    """From now on no account of the wallet may be overdrawn, whatever posts to it."""
    _change("ledger.wallet_opened", name, tenant, {"actor": acting(actor, role), "note": note})


@wallets.command("credit")
def credit(  # noqa: PLR0913, PLR0917 - a command's options
    name: Name,
    money: Amount,
    tenant: Tenant,
    way: WayIn,
    source: Annotated[
        str, typer.Option(help="From whom: the bank or provider whose account it comes from.")
    ] = "main",
    note: Note = "",
    actor: Actor = None,
    role: Role = "finance",
    key: Key = None,
) -> None:
    """Money or credit comes in."""
    data = {"amount_minor": _minor(name, money), "way": way, "source": source}
    _change("ledger.wallet_credited", name, tenant, {**data, "actor": acting(actor, role), "note": note}, key)


@wallets.command("grant")
def grant(  # noqa: PLR0913, PLR0917 - a command's options
    name: Name,
    money: Amount,
    tenant: Tenant,
    grant_id: Annotated[str, typer.Option("--id", help="Your name for the grant: once in a wallet.")],
    expires: Expires,
    priority: Annotated[int, typer.Option(min=0, max=1000, help="Lower is spent first.")] = 100,
    note: Note = "",
    actor: Actor = None,
    role: Role = "finance",
) -> None:
    """Promotional credit comes in, and goes again when it expires."""
    data = {
        "amount_minor": _minor(name, money),
        "grant_id": grant_id,
        "expires_at": _moment(tenant, expires),
        "priority": priority,
    }
    _change("ledger.promotion_granted", name, tenant, {**data, "actor": acting(actor, role), "note": note})


@wallets.command("spend")
def spend(  # noqa: PLR0913, PLR0917 - a command's options
    name: Name,
    money: Amount,
    tenant: Tenant,
    way: WayOut,
    payee: Payee,
    note: Note = "",
    actor: Actor = None,
    role: Role = "finance",
    key: Key = None,
) -> None:
    """Spend at once what is available."""
    data = {"amount_minor": _minor(name, money), "way": way, "payee": payee}
    _change("ledger.wallet_spent", name, tenant, {**data, "actor": acting(actor, role), "note": note}, key)


@wallets.command("hold")
def hold(  # noqa: PLR0913, PLR0917 - a command's options
    name: Name,
    hold_id: HoldId,
    money: Amount,
    tenant: Tenant,
    expires: Expires,
    note: Note = "",
    actor: Actor = None,
    role: Role = "finance",
) -> None:
    """Reserve an amount, which then cannot be spent otherwise, until it is posted, voided, or expires."""
    data = {"hold_id": hold_id, "amount_minor": _minor(name, money), "expires_at": _moment(tenant, expires)}
    _change("ledger.hold_placed", name, tenant, {**data, "actor": acting(actor, role), "note": note})


@wallets.command("post")
def post(  # noqa: PLR0913, PLR0917 - a command's options
    name: Name,
    hold_id: HoldId,
    tenant: Tenant,
    way: WayOut,
    payee: Payee,
    money: Annotated[str | None, typer.Argument(help="How much of it; all that it keeps without.")] = None,
    note: Note = "",
    actor: Actor = None,
    role: Role = "finance",
    key: Key = None,
    *,
    more_to_come: Annotated[
        bool, typer.Option("--more-to-come", help="Keep what is left; without, it is free again.")
    ] = False,
) -> None:
    """Spend what a hold reserves, whole or in part."""
    data = {
        "hold_id": hold_id,
        "amount_minor": None if money is None else _minor(name, money),
        "final": not more_to_come,
        "way": way,
        "payee": payee,
    }
    _change("ledger.hold_posted", name, tenant, {**data, "actor": acting(actor, role), "note": note}, key)


@wallets.command("void")
def void(
    name: Name, hold_id: HoldId, tenant: Tenant, note: Note = "", actor: Actor = None, role: Role = "finance"
) -> None:
    """Let go what a hold reserves."""
    data = {"hold_id": hold_id, "actor": acting(actor, role), "note": note}
    _change("ledger.hold_voided", name, tenant, data)


@wallets.command("limit")
def limit(
    name: Name,
    account: Annotated[str, typer.Argument(help=f"Which account: {', '.join(MAY_BE_OVERDRAWN)}.")],
    money: Annotated[str, typer.Argument(help="By how much it may be overdrawn; 0 for not at all.")],
    tenant: Tenant,
    note: Note,
    actor: Actor = None,
    role: Role = "finance",
) -> None:
    """Say by how much an account of a wallet may be overdrawn: a new version of its limit."""
    data = {
        "account": account,
        "overdraft_minor": minor_or_zero("amount", money, _parts(name)[2]),
        "version": _found(name, tenant).wallet.limits + 1,
    }
    _change("ledger.wallet_limit_set", name, tenant, {**data, "actor": acting(actor, role), "note": note})


def _change(kind: str, name: str, tenant: str, data: Mapping[str, Any], key: str | None = None) -> None:
    """Ask for it; then say how the wallet stands."""
    family, owner_id, currency = _parts(name)

    def words(answer: Answer) -> str | None:
        if answer.reason != Reason.LIMIT_REACHED:
            return None
        one = _found(name, tenant)
        return f"{amount(data['amount_minor'], currency)} is more than there is: {_told(one)}"

    named = {"family": family, "owner_id": owner_id, "currency": currency}
    answer = carry_out(tenant, [(kind, {**named, **data})], key, words=words)
    typer.echo(f"{'done before' if answer.is_repeat else 'done'}; {_told(_found(name, tenant))}")


def _found(name: str, tenant: str | None) -> Standing:
    found = ask(lambda connection: standings(connection, tenant, name, most=2))
    if not found:
        fail(f"there is no wallet {name}{f' of {tenant}' if tenant else ''}")
    if len(found) > 1:
        fail(f"wallet {name} is one of several tenants: say which with --tenant")
    return found[0]


def _parts(name: str) -> tuple[str, str, str]:
    """Family, owner and currency of a wallet's name."""
    parts = name.split("/")
    if len(parts) != NAME_PARTS or parts[0] not in FAMILIES or not is_currency(parts[2]):
        fail(f"wallet {name!r}: write family/owner/currency, with a family of {', '.join(FAMILIES)}")
    return parts[0], parts[1], parts[2]


def _minor(name: str, money: str) -> int:
    return minor("amount", money, _parts(name)[2])


def _moment(tenant: str, text: str) -> datetime:
    row = ask(lambda connection: asking_sql.tenant_now(connection, tenant=tenant))
    try:
        return moment_of(text, row["zone"])
    except MomentError as error:
        fail(f"--expires: {error}")


def _told(one: Standing) -> str:
    currency = one.wallet.currency
    available, posted, held = (
        amount(minor, currency) for minor in (one.available_minor, one.posted_minor, one.held_minor)
    )
    return f"{printable(one.wallet.name)} has {available} available, {posted} posted, {held} held"


def _buckets_table(one: Standing) -> Table:
    table = Table("priority", "account", "owner", "posted", "held", "overdraft", "available", "expires")
    for column in (0, 3, 4, 5, 6):
        table.columns[column].justify = "right"
    for bucket in one.buckets:
        sums = (bucket.posted_minor or 0, bucket.held_minor, bucket.overdraft_minor, one.available_of(bucket))
        expires = moment(bucket.expires_at) if bucket.expires_at else ""
        money = (amount(minor, one.wallet.currency) for minor in sums)
        over = "" if bucket.is_spendable(one.now) else " (expired)"
        table.add_row(
            str(bucket.priority), bucket.account, Text(printable(bucket.owner)), *money, expires + over
        )
    return table


def _holds_table(holds: list[Any]) -> Table:
    table = Table("hold", "state", "reserved", "posted", "expires", "by", title="Holds", title_justify="left")
    for column in (2, 3):
        table.columns[column].justify = "right"
    for row in holds:
        kept_minor = sum(part["amount_minor"] for part in row["parts"])
        table.add_row(
            Text(printable(row["hold_id"])),
            row["state"],
            amount(kept_minor, row["currency"]),
            amount(row["posted_minor"], row["currency"]),
            moment(row["expires_at"]),
            Text(printable(row["placed_by"])),
        )
    return table


def _limits_table(limits: list[Any], currency: str) -> Table:
    table = Table(
        "version", "account", "overdraft", "by", "since", "why", title="Limits", title_justify="left"
    )
    for row in limits:
        money = amount(row["overdraft_minor"], currency)
        by, why = Text(printable(row["set_by"])), Text(printable(row["note"]))
        table.add_row(str(row["version"]), row["account"], money, by, moment(row["set_at"]), why)
    return table
