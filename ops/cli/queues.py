"""Commands about messages that wait or were set aside: dead-letters list, show, replay; parked list."""

from __future__ import annotations

import getpass
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from db.queries import replay as replay_sql
from db.queries import reports as sql
from ops.inspect.explain.messages import body_node, place
from ops.inspect.replay import Replay, Replayer
from ops.inspect.screen import act, ask, fail, show, show_json
from ops.inspect.words import advice, age, moment, printable
from schemas.reasons import Reason

commands = typer.Typer()
dead_letters = typer.Typer(help="Messages that could not be read or handled.", no_args_is_help=True)
parked = typer.Typer(help="Messages that wait for their turn.", no_args_is_help=True)
commands.add_typer(dead_letters, name="dead-letters")
commands.add_typer(parked, name="parked")

Topic = Annotated[str | None, typer.Option(help="Only those of this topic.")]
OfReason = Annotated[Reason | None, typer.Option(help="Only those with this reason.")]
Limit = Annotated[int, typer.Option(min=1, help="How many to list.")]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]
LetterId = Annotated[int | None, typer.Argument(help="As `dead-letters list` shows it.")]


@dead_letters.command("list")
def list_dead_letters(
    topic: Topic = None,
    reason: OfReason = None,
    limit: Limit = 50,
    *,
    replayed: Annotated[bool, typer.Option(help="Also those that were replayed.")] = False,
    as_json: AsJson = False,
) -> None:
    """List dead letters, newest first."""
    which = {"topic": topic, "reason": reason, "replayed_too": replayed}

    async def found(connection: Any) -> tuple[list[Any], int]:
        rows = await sql.dead_letters(connection, **which, most=limit)
        return rows, await sql.count_dead_letters(connection, **which)

    rows, count = ask(found)
    if as_json:
        show_json([dict(row) for row in rows])
        return
    table = Table("id", "since", "topic/partition/offset", "event", "reason", "detail")
    for row in rows:
        gone = " (replayed)" if row["replayed_at"] else ""
        event = printable(row["event_id"] or "unreadable")
        cells = (moment(row["dead_at"]) + gone, place(row), event, row["reason"])
        table.add_row(str(row["dead_letter_id"]), *cells, Text(printable(row["detail"])))
    _print(table, len(rows), count)


@dead_letters.command("show")
def show_dead_letter(dead_letter_id: Annotated[int, typer.Argument()], *, as_json: AsJson = False) -> None:
    """Show one whole: the body as it came, why it is here, and what to do."""
    letter = ask(lambda connection: sql.dead_letter(connection, dead_letter_id=dead_letter_id))
    if letter is None:
        fail(f"there is no dead letter {dead_letter_id}")
    body = body_node(letter["body"])
    what_to_do = _what_to_do(letter)
    if as_json:
        facts = {name: value for name, value in letter.items() if name not in {"body", "message_key"}}
        raw_key = None if letter["message_key"] is None else body_node(letter["message_key"]).facts
        show_json(facts | {"message_key": raw_key, **body.facts, "what_to_do": what_to_do})
        return
    origin = (
        f"{letter['event_id']} of {letter['source']} ({letter['tenant']})"
        if letter["event_id"]
        else "unreadable"
    )
    key = "none" if letter["message_key"] is None else body_node(letter["message_key"]).text
    headers = ", ".join(f"{name}={value}" for name, value in letter["headers"].items()) or "none"
    table = Table(show_header=False, box=None)
    for name, value in (
        ("dead letter", str(dead_letter_id)),
        ("where from", place(letter)),
        ("event", origin),
        ("since", moment(letter["dead_at"])),
        ("replayed", moment(letter["replayed_at"]) if letter["replayed_at"] else "no"),
        ("reason", f"{letter['reason']}: {letter['detail']}"),
        ("what to do", what_to_do),
        ("key", key),
        ("headers", headers),
        ("body", body.text + (" (a card number was masked)" if letter["masked"] else "")),
    ):
        table.add_row(Text(name, "bold"), Text(printable(value), overflow="fold"))
    show(table)


@dead_letters.command("replay")
def replay_dead_letters(
    dead_letter_id: LetterId = None,
    reason: Annotated[Reason | None, typer.Option(help="All with this reason.")] = None,
    actor: Annotated[str | None, typer.Option(help="Who does it, for the audit log; by default you.")] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    as_json: AsJson = False,
) -> None:
    """Send dead letters back: to their key's queue, or to their topic when they could not be read.

    Exit 1 when one of them cannot go back; the reason is told.
    """
    if sum((dead_letter_id is not None, reason is not None, every)) != 1:
        raise typer.BadParameter("name one dead letter, or a --reason, or --all")

    who = actor or _me()

    async def replay_them(connection: Any, kafka: str) -> list[Replay]:
        if dead_letter_id is not None:
            ids = [dead_letter_id]
        else:
            ids = [
                row["dead_letter_id"] for row in await replay_sql.open_dead_letters(connection, reason=reason)
            ]
        async with Replayer(connection, kafka, who) as replayer:
            return [await replayer.replay(number) for number in ids]

    replays = act(replay_them)
    if as_json:
        show_json([asdict(told) for told in replays])
    else:
        for told in replays:
            typer.echo(
                f"{told.dead_letter_id}: {'' if told.done else 'NOT REPLAYED, '}{printable(told.told)}"
            )
        typer.echo(f"{sum(told.done for told in replays)} of {len(replays)} replayed")
    if not all(told.done for told in replays):
        raise typer.Exit(1)


@parked.command("list")
def list_parked(topic: Topic = None, limit: Limit = 50, *, as_json: AsJson = False) -> None:
    """List messages that wait, oldest first: for what, since when, how often they were tried."""

    async def found(connection: Any) -> tuple[list[Any], int]:
        rows = await sql.parked_messages(connection, topic=topic, most=limit)
        return rows, await sql.count_parked(connection, topic=topic)

    rows, count = ask(found)
    if as_json:
        show_json([dict(row) for row in rows])
        return
    now = datetime.now(UTC)
    table = Table("topic", "key", "event", "reason", "waits for", "age", "tries", "detail")
    for row in rows:
        named = (f"{row['tenant']}:{row['key']}", row["event_id"], row["reason"], row["waits_for"] or "time")
        since = (age(now - row["parked_at"]), str(row["tries"]))
        cells = (*map(printable, named), *since, printable(row["detail"]))
        table.add_row(row["topic"], *cells)
    _print(table, len(rows), count)


def _me() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        fail("this account has no name; say who you are with --actor")


def _what_to_do(letter: Any) -> str:
    told = advice(letter["reason"])
    if letter["replayed_at"] is not None or letter["masked"]:
        return told
    return f"{told} Then: counterfoil dead-letters replay {letter['dead_letter_id']}"


def _print(table: Table, shown: int, count: int) -> None:
    if not count:
        typer.echo("none")
        return
    show(table)
    if count > shown:
        typer.echo(f"and {count - shown:,} more; see them with --limit")
