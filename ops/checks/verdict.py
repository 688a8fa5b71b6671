"""Every rule on one snapshot of the database, each with its verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from db.queries import checks as sql
from ops.checks.rules import FIXED_SIZES, RULES, Rule

if TYPE_CHECKING:
    from db.connection import Connection

NAMED_AT_MOST: Final = 20
"""Offenders named of each rule; the others are only counted."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a rule: `checked` rows were looked through, `broken` found, the first of them named."""

    law: int
    title: str
    ok: bool
    checked: int
    offenders: list[str]
    broken: int


async def check(connection: Connection, *, settled: bool = False) -> list[Verdict]:
    """Verify every law that data can show, on one snapshot; nothing is locked or changed, and work may go on.

    With `settled`, what is under way is an offence too: unpublished events, open calls, waiting messages.
    Reads whole tables, in the memory of a few rows; the readers' role is enough.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        await sql.plan_for_scans(connection)
        sizes = FIXED_SIZES | dict(await sql.sizes(connection))
        return [
            await _judge(connection, rule, sizes[rule.counted])
            for rule in RULES
            if settled or not rule.settled
        ]


async def _judge(connection: Connection, rule: Rule, checked: int) -> Verdict:
    named: list[str] = []
    broken = 0
    async with rule.offenders(connection, **rule.parameters) as offenders:
        async for row in offenders:
            broken += 1
            if len(named) < NAMED_AT_MOST:
                named.append(row["offender"])
    return Verdict(rule.law, rule.title, not broken, checked, named, broken)
