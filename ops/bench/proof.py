"""After the run: was everything done that the rate counts, and with every guard on?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from db.connection import connect
from db.queries import bench as sql
from ops.bench.workload import TENANT
from ops.checks import check

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ops.endpoints import Places

DURABLE: Final = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}


@dataclass(frozen=True, slots=True)
class Proof:
    """What was found. `problems` is empty, or the rate means nothing."""

    payments: int
    paid_minor: dict[str, int]
    trial_balance: dict[str, int]
    laws: dict[str, bool]
    durability: dict[str, str]
    problems: list[str]


async def prove(at: Places, events: int, paid_minor: Mapping[str, int]) -> Proof:
    """Count and add up what must be there, and verify every law that data can show."""
    connection = await connect(at.database_url, application="counterfoil bench", by_key=True)
    try:
        # In a session like a worker's own, so that no setting of its role or database goes unseen.
        durability = dict(await sql.durability(connection))
    finally:
        await connection.close()
    connection = await connect(at.admin_url, application="counterfoil bench")
    try:
        rows = await sql.paid(connection, tenant=TENANT)
        trial_balance = {row["currency"]: row["off_by_minor"] for row in await sql.trial_balance(connection)}
        verdicts = await check(connection, settled=True)
    finally:
        await connection.close()
    payments = sum(row["payments"] for row in rows)
    found_minor = {row["currency"]: row["captured_minor"] for row in rows}
    problems = [
        f"law {verdict.law}: {verdict.title}: {verdict.offenders}" for verdict in verdicts if not verdict.ok
    ]
    if payments != events:
        problems.append(f"{payments} payments succeeded, {events} were published")
    if found_minor != dict(paid_minor):
        problems.append(f"{found_minor} was captured, {dict(paid_minor)} was published (minor units)")
    problems.extend(
        f"{currency} is off by {off} minor units" for currency, off in trial_balance.items() if off
    )
    problems.extend(
        f"{name} is {durability[name]}" for name, value in DURABLE.items() if durability[name] != value
    )
    return Proof(
        payments,
        found_minor,
        trial_balance,
        {f"{verdict.law}: {verdict.title}": verdict.ok for verdict in verdicts},
        durability,
        problems,
    )
