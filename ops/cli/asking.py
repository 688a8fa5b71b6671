"""What the commands that ask for something have in common: who asks, what is told of the answer, and the exit code.

0 done    1 refused, or what was typed is wrong    2 no answer: a server is away, or no worker runs    3 it waits
"""

from __future__ import annotations

import getpass
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NoReturn

import typer
from aiokafka.errors import KafkaError

from ops.desk.asking import PATIENCE_S, WAITING_S, Asked, ask_and_wait
from ops.inspect.screen import act, fail
from ops.inspect.words import advice, printable
from producers.client import InvalidEventError

if TYPE_CHECKING:
    from ops.desk.asking import Answer

LEDGER: Final = "ledger.commands"

Tenant = Annotated[str, typer.Option(help="Whose books.")]
OfTenant = Annotated[str | None, typer.Option(help="Only this tenant's.")]
Actor = Annotated[str | None, typer.Option(help="Who does it; by default you.")]
Role = Annotated[Literal["support", "manager", "finance"], typer.Option(help="As what.")]
Note = Annotated[str, typer.Option(help="Why; kept in the audit log.")]
Key = Annotated[
    str | None, typer.Option(help="A key of yours: with the same one it is done once, however often you ask.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask whether it is right.")]
AsJson = Annotated[bool, typer.Option("--json", help="For programs; amounts in minor units.")]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="How many to list.")]


def acting(actor: str | None, role: str) -> dict[str, str]:
    """Who acts, and as what, as commands say it."""
    if actor is not None:
        return {"id": actor, "role": role}
    try:
        return {"id": getpass.getuser(), "role": role}
    except (KeyError, OSError):
        fail("this account has no name; say who you are with --actor")


def carry_out(
    tenant: str,
    commands: Sequence[tuple[str, Mapping[str, Any]]],
    key: str | None = None,
    topic: str = LEDGER,
    words: Callable[[Answer], str | None] = lambda _: None,
) -> Answer:
    """Ask, wait, and return when it is done. Otherwise say what became of it, and exit.

    `words` may say it better than the answer's own detail, which counts in minor units.
    """
    asked = Asked(tenant, topic, commands, f"desk-{uuid.uuid4()}" if key is None else key)
    answer = _asked(asked)
    if answer.outcome != "applied":
        _give_up(answer, words(answer) or printable(answer.detail), asked.key)
    return answer


def carry_out_once(
    tenant: str, commands: Sequence[tuple[str, Mapping[str, Any]]], key: str, topic: str = LEDGER
) -> Answer:
    """As `carry_out`, under a key that follows from what is asked for.

    What was refused under that key before is asked anew: nothing came of it, and it may be allowed by now.
    """
    answer = _asked(Asked(tenant, topic, commands, key))
    if answer.is_repeat and answer.outcome == "rejected":
        return carry_out(tenant, commands, topic=topic)
    if answer.outcome != "applied":
        _give_up(answer, printable(answer.detail), None)
    return answer


def _asked(asked: Asked) -> Answer:
    try:
        return act(lambda connection, kafka: ask_and_wait(connection, kafka, asked, PATIENCE_S, WAITING_S))
    except InvalidEventError as error:
        fail("; ".join(f"{field.removeprefix('data.')}: {problem}" for field, problem in error.problems))
    except KafkaError as error:
        fail(f"Kafka did not take it: {error}", 2)


def _give_up(answer: Answer, detail: str, key: str | None) -> NoReturn:
    """Say what became of it instead, and what to do."""
    if answer.outcome == "waiting":
        with_key = "" if key is None else f" with --key {key}"
        again = f"the same command{with_key} asks again, and nothing is done twice"
        fail(f"sent, but no worker took it in within {PATIENCE_S:g} s; {again}", 2)
    before = "asked before with this key, and " if answer.is_repeat else ""
    why = f"{detail} ({answer.reason})" if answer.reason else detail
    if answer.outcome == "parked":
        fail(f"{before}it waits: {why}. See `counterfoil parked list`", 3)
    word = {"rejected": "refused", "dead": "set aside"}.get(answer.outcome, answer.outcome)
    fail(f"{before}{word}: {why}. {advice(answer.reason) if answer.reason else ''}".rstrip())


def confirmed(question: str, *, yes: bool) -> None:
    """Go on when the person says so, or has said --yes; otherwise exit 1, with nothing done."""
    if not yes and not typer.confirm(question):
        fail("nothing was sent")
