"""Commands about what waits for a person: list; and to decide refunds and disputes, which have no other command."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import orjson
import typer
from rich.text import Text

from db.queries import disputes as disputes_sql
from ops.approvals.matters import KINDS, Matter, matters, times
from ops.cli.asking import Actor, AsJson, Limit, OfTenant, Role, Tenant, acting, carry_out
from ops.inspect.screen import ask, fail, show, show_json
from ops.inspect.words import age, moment, printable

if TYPE_CHECKING:
    from datetime import datetime

commands = typer.Typer()
approvals = typer.Typer(help="What waits for a person, and who may decide it.", no_args_is_help=True)
commands.add_typer(approvals, name="approvals")

CHECKOUT: Final = "checkout.events"
MAX_EVIDENCE_BYTES: Final = 200_000

Kind = StrEnum("Kind", {kind.upper(): kind for kind in KINDS})  # type: ignore[misc]  # the table says which there are

Order = Annotated[str, typer.Argument(help="The order.")]
Refund = Annotated[str, typer.Argument(help="The refund's name, as it was asked for.")]
Dispute = Annotated[str, typer.Argument(help="The provider's name of the dispute.")]
Why = Annotated[str, typer.Option("--note", help="Why; kept in the audit log.")]


@approvals.command("list")
def list_approvals(
    tenant: OfTenant = None,
    kind: Annotated[Kind | None, typer.Option(help="Only what is of this kind.")] = None,
    limit: Limit = 50,
    *,
    as_json: AsJson = False,
) -> None:
    """List everything that waits for a person, oldest first: who may decide, by when, and by which command."""

    async def found(connection: Any) -> tuple[list[Matter], dict[str | None, datetime]]:
        return await matters(connection, tenant, kind, limit), await times(connection)

    waiting, now_of = ask(found)
    if as_json:
        show_json([matter.as_json() for matter in waiting])
        return
    if not waiting:
        typer.echo("nothing waits for anybody")
        return
    for matter in waiting:
        now = now_of.get(matter.tenant, now_of[None])
        show(Text(printable(f"{matter.kind} {matter.name} of {matter.tenant}"), "bold"))
        typer.echo(f"    {printable(matter.about)}")
        typer.echo(f"    since {moment(matter.since)} ({age(now - matter.since)}){_until(matter.by, now)}")
        typer.echo(f"    for {printable(matter.who)}")
        for command in matter.commands:
            typer.echo(f"    {printable(command)}")


@approvals.command("approve-refund")
def approve_refund(
    order: Order, refund: Refund, tenant: Tenant, note: Why, actor: Actor = None, role: Role = "finance"
) -> None:
    """Approve a refund that somebody else asked for; it is sent to the provider."""
    data = {"order_id": order, "refund_id": refund, "actor": acting(actor, role), "note": note}
    carry_out(tenant, [("checkout.refund_approved", data)], topic=CHECKOUT)
    typer.echo(f"refund {refund} of order {order} is approved, and on its way")


@approvals.command("refuse-refund")
def refuse_refund(
    order: Order, refund: Refund, tenant: Tenant, note: Why, actor: Actor = None, role: Role = "finance"
) -> None:
    """Decide against a refund that somebody else asked for."""
    data = {"order_id": order, "refund_id": refund, "actor": acting(actor, role), "note": note}
    carry_out(tenant, [("checkout.refund_disapproved", data)], topic=CHECKOUT)
    typer.echo(f"refund {refund} of order {order} is refused")


@approvals.command("answer-dispute")
def answer_dispute(
    name: Dispute,
    file: Annotated[Path, typer.Argument(help="JSON: fields and links of the evidence. See docs/desk.md.")],
    tenant: OfTenant = None,
    actor: Actor = None,
    role: Role = "finance",
) -> None:
    """Send evidence for a dispute; what is sent is kept under its hash."""
    row = _dispute(name, tenant)
    data = {**_evidence(file), **_named(row), "actor": acting(actor, role)}
    carry_out(row["tenant"], [("checkout.evidence_submitted", data)], topic=CHECKOUT)
    typer.echo(f"the evidence for {name} is on its way; see `counterfoil disputes show`")


@approvals.command("accept-dispute")
def accept_dispute(
    name: Dispute, note: Why, tenant: OfTenant = None, actor: Actor = None, role: Role = "finance"
) -> None:
    """Do not fight a dispute: it is lost."""
    row = _dispute(name, tenant)
    data = {**_named(row), "actor": acting(actor, role), "note": note}
    carry_out(row["tenant"], [("checkout.dispute_accepted", data)], topic=CHECKOUT)
    typer.echo(f"dispute {name} is given up; {row['provider']} is being told")


def _dispute(name: str, tenant: str | None) -> Any:
    rows = ask(
        lambda connection: disputes_sql.disputes_named(connection, name=name, object_id=None, tenant=tenant)
    )
    if len(rows) != 1:
        fail(
            f"there is no dispute {name}" if not rows else f"dispute {name} is several tenants': say --tenant"
        )
    return rows[0]


def _named(row: Any) -> dict[str, str]:
    return {"order_id": row["order_id"], "dispute_reference": row["dispute_reference"]}


def _evidence(file: Path) -> dict[str, Any]:
    """`fields` and perhaps `links`; the contract says what is in them."""
    try:
        with file.open("rb") as opened:
            raw = opened.read(MAX_EVIDENCE_BYTES + 1)
        told = orjson.loads(raw) if len(raw) <= MAX_EVIDENCE_BYTES else None
    except OSError as error:
        fail(f"{file}: {error.strerror}")
    except orjson.JSONDecodeError as error:
        fail(f"{file} is not JSON: {error}")
    if not isinstance(told, dict) or not {"fields"} <= set(told) <= {"fields", "links"}:
        fail(
            f"{file}: write an object with fields, and perhaps links, of at most {MAX_EVIDENCE_BYTES:,} bytes"
        )
    return told


def _until(by: datetime | None, now: datetime) -> str:
    if by is None:
        return ""
    left = f"{age(by - now)} left" if by > now else f"late by {age(now - by)}"
    return f", until {moment(by)} ({left})"
