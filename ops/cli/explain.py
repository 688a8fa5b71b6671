"""The commands `explain`: from any number or name back to the messages as they came, and forward to what went out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import typer

from ops.inspect import explain as explaining
from ops.inspect.explain.balances import START_OF_TIME
from ops.inspect.node import Node
from ops.inspect.screen import ask, fail, show, show_json
from ops.statements.calendars import in_each_zone
from ops.statements.moments import Basis, MomentError, end_of, period_of

explain = typer.Typer(
    help="From money, objects and events back to the messages as they came, and forward to what went out.",
    no_args_is_help=True,
)

LARGEST_ID = 2**63 - 1

Tenant = Annotated[str | None, typer.Option(help="Only this tenant's.")]
Owner = Annotated[str | None, typer.Option(help="Whose account: a merchant, a provider, ...")]
Currency = Annotated[str | None, typer.Option(help="ISO 4217 code.")]
AsJson = Annotated[bool, typer.Option("--json", help="For programs; amounts in minor units, bodies whole.")]
Messages = Annotated[int, typer.Option("--last", min=1, max=100_000, help="How many messages, the newest.")]
AsOf = Annotated[
    str | None,
    typer.Option(help="What stood at the end of a date (2026-11-30) or at a moment (2026-11-30T12:00:00Z)."),
]
ByPeriod = Annotated[
    str | None,
    typer.Option("--period", help="What moved it in 2026, 2026-11, 2026-11-23, 2026-11-01..2026-11-15."),
]
DatedBy = Annotated[
    Basis, typer.Option(help="For dates: when it happened (effective) or was written (posting).")
]
Zone = Annotated[
    str | None,
    typer.Option(
        help="In which days begin and end; without it that of a tenant's periods (`periods calendar`)."
    ),
]


@explain.command("entry")
def explain_entry(
    entry_id: Annotated[
        int, typer.Argument(min=0, max=LARGEST_ID, help="Its number, as statements and exports show it.")
    ],
    tenant: Tenant = None,
    lines: Annotated[int, typer.Option(min=1, max=10_000, help="How many of its lines.")] = 100,
    *,
    as_json: AsJson = False,
) -> None:
    """Show an entry, what it was posted for, every message that led to it, and where it was told."""
    _tell(
        lambda connection: explaining.explain_entry(connection, entry_id, tenant, lines=lines),
        f"there is no entry {entry_id}",
        as_json=as_json,
    )


@explain.command("balance")
def explain_balance(  # noqa: PLR0913, PLR0917 - a command's options
    code: Annotated[str, typer.Argument(help="As in the chart of accounts, for example merchant_payable.")],
    owner: Owner = None,
    tenant: Tenant = None,
    currency: Currency = None,
    as_of: AsOf = None,
    period: ByPeriod = None,
    basis: DatedBy = Basis.EFFECTIVE,
    zone: Zone = None,
    last: Annotated[int, typer.Option(min=1, max=10_000, help="How many lines, newest first.")] = 10,
    accounts: Annotated[int, typer.Option(min=1, max=1_000, help="How many accounts, largest first.")] = 10,
    *,
    largest: Annotated[
        bool, typer.Option(help="The largest lines first, of the newest 10,000 of each account.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show the entries that moved an account, and the messages they follow from."""
    _one_time(as_of, period)
    shown = explaining.Shown(last=last, accounts=accounts, largest=largest)

    async def find(connection: Any) -> list[Node]:
        span = await _span(connection, tenant, as_of, period, basis, zone)
        named = {"tenant": tenant, "owner": owner, "currency": currency}
        return await explaining.explain_balance(connection, code, **named, span=span, shown=shown)

    _tell(
        find,
        f"there is no account {code} of that name",
        as_json=as_json,
    )


@explain.command("total")
def explain_total(  # noqa: PLR0913, PLR0917 - a command's options
    total: Annotated[
        explaining.Total,
        typer.Argument(
            help="Of a balance sheet or income statement; claims: liabilities, equity and result."
        ),
    ],
    tenant: Tenant = None,
    currency: Currency = None,
    as_of: AsOf = None,
    period: ByPeriod = None,
    basis: DatedBy = Basis.EFFECTIVE,
    zone: Zone = None,
    last: Annotated[int, typer.Option(min=1, max=1_000, help="How many lines of each account.")] = 3,
    accounts: Annotated[int, typer.Option(min=1, max=1_000, help="How many accounts of each code.")] = 3,
    *,
    as_json: AsJson = False,
) -> None:
    """Show which codes, accounts and lines make a total, the largest first."""
    _one_time(as_of, period)
    shown = explaining.Shown(last=last, accounts=accounts, largest=True, brief=True)

    async def find(connection: Any) -> list[Node]:
        span = await _span(connection, tenant, as_of, period, basis, zone)
        return await explaining.explain_total(
            connection, total, tenant=tenant, currency=currency, span=span, shown=shown
        )

    _tell(
        find,
        "nothing is posted to such accounts",
        as_json=as_json,
    )


@explain.command("payment")
def explain_payment(
    name: Annotated[str, typer.Argument(help="A payment's id, or an order's.")],
    tenant: Tenant = None,
    last: Messages = 50,
    *,
    everything: Annotated[
        bool, typer.Option(help="Also messages that changed nothing; reads the inbox.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Tell a payment's story: what each message changed, posted, asked of the provider and published."""
    _tell(
        lambda connection: explaining.explain_payment(
            connection, name, tenant, everything=everything, last=last
        ),
        f"there is no payment or order {name}",
        as_json=as_json,
    )


@explain.command("refund")
def explain_refund(
    name: Annotated[str, typer.Argument(help="A refund's id, the caller's name for it, or the provider's.")],
    tenant: Tenant = None,
    order: Annotated[str | None, typer.Option(help="Only of this order.")] = None,
    last: Messages = 50,
    *,
    as_json: AsJson = False,
) -> None:
    """Tell a refund's story: who asked, who approved, what the provider was asked and said, what it moved."""
    _tell(
        lambda connection: explaining.explain_refund(connection, name, tenant, order_id=order, last=last),
        f"there is no refund {name}",
        as_json=as_json,
    )


@explain.command("dispute")
def explain_dispute(
    name: Annotated[str, typer.Argument(help="The provider's reference, or our id.")],
    tenant: Tenant = None,
    last: Messages = 50,
    *,
    as_json: AsJson = False,
) -> None:
    """Tell a dispute's story: reports, evidence, decision, and what each of them moved."""
    _tell(
        lambda connection: explaining.explain_dispute(connection, name, tenant, last=last),
        f"there is no dispute {name}",
        as_json=as_json,
    )


@explain.command("journal")
def explain_journal(
    name: Annotated[str, typer.Argument(help="The caller's name for it, or our id.")],
    tenant: Tenant = None,
    last: Messages = 50,
    *,
    as_json: AsJson = False,
) -> None:
    """Tell a journal's story, or a reversal's or conversion's: all parts, who proposed, who approved."""
    _tell(
        lambda connection: explaining.explain_journal(connection, name, tenant, last=last),
        f"there is no journal {name}",
        as_json=as_json,
    )


@explain.command("wallet")
def explain_wallet(
    owner: Annotated[str, typer.Argument(help="Whose wallet: a customer's or merchant's id.")],
    currency: Annotated[str, typer.Argument(help="ISO 4217 code.")],
    tenant: Tenant = None,
    family: Annotated[str | None, typer.Option(help="customer or merchant; both without it.")] = None,
    last: Annotated[int, typer.Option(min=1, max=10_000, help="How many entries, newest first.")] = 10,
    *,
    as_json: AsJson = False,
) -> None:
    """Show a wallet's accounts, limits and holds, and the entries that moved it last."""
    _tell(
        lambda connection: explaining.explain_wallet(
            connection, owner, currency, tenant, family=family, last=last
        ),
        f"there is no wallet of {owner} in {currency}",
        as_json=as_json,
    )


@explain.command("hold")
def explain_hold(
    name: Annotated[str, typer.Argument(help="The caller's name for it, or our id.")],
    tenant: Tenant = None,
    wallet: Annotated[str | None, typer.Option(help="Only of this wallet: customer/cus_7/EUR.")] = None,
    last: Messages = 50,
    *,
    as_json: AsJson = False,
) -> None:
    """Tell a hold's story: placed, posted whole or in part, voided, expired; and what it moved."""
    _tell(
        lambda connection: explaining.explain_hold(connection, name, tenant, wallet=wallet, last=last),
        f"there is no hold {name}",
        as_json=as_json,
    )


@explain.command("period")
def explain_period(
    name: Annotated[str, typer.Argument(help="A month 2026-10, a quarter 2026-Q4, a year 2026.")],
    tenant: Tenant = None,
    last: Messages = 50,
    *,
    as_json: AsJson = False,
) -> None:
    """Tell who closed a period and opened it again, what was kept of it, and what came too late."""
    _tell(
        lambda connection: explaining.explain_period(connection, name, tenant, last=last),
        f"nobody has touched period {name}: it is open, or was closed with a later one",
        as_json=as_json,
    )


@explain.command("event")
def explain_event(
    event_id: Annotated[str, typer.Argument(help="Of a message that came in, or of an event of ours.")],
    source: Annotated[str | None, typer.Option(help="The sender's; two may use one id.")] = None,
    tenant: Tenant = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show a message with all that followed from it, or an event of ours with what led to it."""
    _tell(
        lambda connection: explaining.explain_event(connection, event_id, tenant, source),
        f"there is no event {event_id}",
        as_json=as_json,
    )


def _one_time(as_of: str | None, period: str | None) -> None:
    if as_of is not None and period is not None:
        fail("name --as-of or --period, not both")


async def _span(
    connection: Any, tenant: str | None, as_of: str | None, period: str | None, basis: Basis, zone: str | None
) -> explaining.Span | None:
    """What was asked for, in each tenant's zone unless one is named. Raises MomentError."""
    if period is not None:
        asked = await in_each_zone(connection, lambda its: period_of(period, its), tenant, zone)
        since = {whose: its.since for whose, its in asked.items()}
        before = {whose: its.before for whose, its in asked.items()}
        return explaining.Span(since, before, basis, f"{period} by {basis} date")
    if as_of is not None:
        ends = await in_each_zone(connection, lambda its: end_of(as_of, its), tenant, zone)
        return explaining.Span(START_OF_TIME, ends, basis, f"as of {as_of} by {basis} date")
    return None


def _tell(find: Callable[[Any], Awaitable[list[Node]]], nothing: str, *, as_json: bool) -> None:
    try:
        nodes = ask(find)
    except MomentError as error:
        fail(str(error))
    if not nodes:
        fail(nothing)
    if as_json:
        show_json([node.as_json() for node in nodes])
        return
    show(*(node.as_tree() for node in nodes))
