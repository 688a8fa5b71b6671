"""The report of a day: what came in and what became of it, the books, and the verdict on each law."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import httpx

from db.connection import connect
from db.queries import demo as sql
from db.queries import reports
from handlers.ledger.model import CHART, DEBIT, Code
from ops.checks import Verdict, check
from ops.demo.readback import read_back
from schemas.reasons import REASONS, Fault, Reason
from schemas.topics import INBOUND

if TYPE_CHECKING:
    from collections.abc import Mapping

    from db.connection import Connection
    from ops.demo.stage import Stage

OUTCOMES: Final = ("applied", "duplicate", "rejected", "parked", "dead")
"""What can become of a message; the five add up to what was received (law 12)."""


@dataclass(frozen=True, slots=True)
class Turnover:
    """One currency of the trial balance, over all tenants, in minor units."""

    debit_minor: int
    credit_minor: int


@dataclass(frozen=True, slots=True)
class Report:
    """The whole report. Amounts are minor units; `money` is signed on each account's normal side."""

    events: int
    seed: int
    seconds: float
    by_topic: Mapping[str, Counter[str]]
    rejections: Mapping[str, int]
    dead_letters: Mapping[str, int]
    payments: Mapping[str, int]
    entries_by_rule: Mapping[str, int]
    turnover: Mapping[str, Turnover]
    money: Mapping[str, Mapping[str, int]]
    provider_calls: Mapping[str, Mapping[str, int]]
    published_by_topic: Mapping[str, int]
    published_again: int
    laws: tuple[Verdict, ...]

    @property
    def ok(self) -> bool:
        """Whether every law holds."""
        return all(verdict.ok for verdict in self.laws)

    @property
    def totals(self) -> Counter[str]:
        """Received and the five outcomes, over all consumed topics."""
        return sum(self.by_topic.values(), Counter[str]())

    @property
    def events_per_second(self) -> float:
        """Published checkout events by the time until everything was settled."""
        return self.events / self.seconds

    def as_json(self) -> dict[str, Any]:
        """The report as a document. `trial_balance` is debits less credits of each currency."""
        return {
            "received": self.totals["received"],
            **{outcome: self.totals[outcome] for outcome in OUTCOMES},
            "published": sum(self.published_by_topic.values()),
            "entries": sum(self.entries_by_rule.values()),
            "trial_balance": {
                currency: turnover.debit_minor - turnover.credit_minor
                for currency, turnover in self.turnover.items()
            },
            "payments": self.payments,
            "money": self.money,
            "events_per_second": round(self.events_per_second, 1),
            "laws": [asdict(verdict) for verdict in self.laws],
            "ok": self.ok,
            "events": self.events,
            "seed": self.seed,
            "seconds": round(self.seconds, 3),
            "turnover": {currency: asdict(turnover) for currency, turnover in self.turnover.items()},
            "by_topic": {
                topic: {name: counts[name] for name in ("received", *OUTCOMES, "redelivered")}
                for topic, counts in self.by_topic.items()
            },
            "rejections": self.rejections,
            "dead_letters": self.dead_letters,
            "entries_by_rule": self.entries_by_rule,
            "provider_calls": self.provider_calls,
            "published_by_topic": self.published_by_topic,
            "published_again": self.published_again,
        }


async def make_report(
    stage: Stage, *, events: int, seed: int, seconds: float, owed_before: Mapping[str, int]
) -> Report:
    """Read everything that the report says from the database, from Kafka and from the provider.

    `owed_before` is what processors owed us by currency before the day, for servers that were not empty.
    """
    connection: Any = await connect(stage.at.database_url, application="counterfoil report")
    try:
        readback = await read_back(stage.at.kafka, stage.at.database_url)
        reasons = await sql.reasons(connection)
        books = await reports.trial_balance(connection, tenant=None, currency=None)
        return Report(
            events=events,
            seed=seed,
            seconds=seconds,
            by_topic=await _by_topic(connection),
            rejections={row["reason"]: row["messages"] for row in reasons if row["outcome"] == "rejected"},
            dead_letters={row["reason"]: row["messages"] for row in reasons if row["outcome"] == "dead"},
            payments={row["state"]: row["payments"] for row in await sql.payment_states(connection)},
            entries_by_rule={row["rule"]: row["entries"] for row in await sql.entry_rules(connection)},
            turnover=_turnover(books),
            money=_money(books),
            provider_calls={
                row["operation"]: {name: row[name] for name in ("calls", "tries", "were_unknown")}
                for row in await sql.provider_calls(connection)
            },
            published_by_topic=readback.events,
            published_again=readback.repeated,
            laws=(
                *await check(connection, settled=True),
                readback.verdict,
                _nothing_is_our_fault(reasons),
                await _provider_agrees(stage, connection, owed_before),
            ),
        )
    finally:
        await connection.close()


async def owed_by_processors(database_url: str) -> dict[str, int]:
    """What our books say that card processors owe us, by currency."""
    connection: Any = await connect(database_url, application="counterfoil report")
    try:
        return {row["currency"]: row["balance_minor"] for row in await sql.processor_receivable(connection)}
    finally:
        await connection.close()


async def _by_topic(connection: Connection) -> dict[str, Counter[str]]:
    counts: dict[str, Counter[str]] = {topic: Counter() for topic in INBOUND}
    for row in await sql.outcomes(connection):
        counts[row["topic"]][row["outcome"]] = row["messages"]
    return counts


def _turnover(books: Any) -> dict[str, Turnover]:
    debits, credited = Counter[str](), Counter[str]()
    for row in books:
        debits[row["currency"]] += int(row["debit_minor"])
        credited[row["currency"]] += int(row["credit_minor"])
    return {currency: Turnover(debits[currency], credited[currency]) for currency in sorted(debits)}


def _money(books: Any) -> dict[str, dict[str, int]]:
    money: dict[str, Counter[str]] = defaultdict(Counter)
    for row in books:
        sign = 1 if CHART[Code(row["code"])].type.normal_side == DEBIT else -1
        money[row["currency"]][row["code"]] += sign * int(row["debit_minor"] - row["credit_minor"])
    return {currency: dict(money[currency]) for currency in sorted(money)}


def _nothing_is_our_fault(reasons: Any) -> Verdict:
    """Whether every message that was refused or set aside was so through no bug or guard of ours."""
    offenders = [
        f"{row['messages']} messages {row['outcome']}: {row['reason']}"
        for row in reasons
        if REASONS[Reason(row["reason"])].fault is Fault.OURS
    ]
    return Verdict(
        law=12,
        title="No message was lost to a fault of ours",
        ok=not offenders,
        checked=sum(row["messages"] for row in reasons),
        offenders=offenders,
        broken=len(offenders),
    )


async def _provider_agrees(stage: Stage, connection: Connection, owed_before: Mapping[str, int]) -> Verdict:
    """Whether the provider's own books say that it took what ours say it owes us."""
    authorization = {"Authorization": f"Bearer {stage.api_key.get_secret_value()}"}
    async with httpx.AsyncClient(
        base_url=stage.sandbox_url, headers=authorization, trust_env=False
    ) as provider:
        answer = await provider.get("/v1/ledger", params={"limit": 1})
        answer.raise_for_status()
    theirs = Counter({row["currency"]: row["captured_amount_minor"] for row in answer.json()["captured"]})
    ours = Counter(
        {row["currency"]: row["balance_minor"] for row in await sql.processor_receivable(connection)}
    )
    ours.subtract(owed_before)
    currencies = sorted(theirs.keys() | ours.keys())
    offenders = [
        f"{currency}: the provider took {theirs[currency]}, our books say {ours[currency]} (minor units)"
        for currency in currencies
        if theirs[currency] != ours[currency]
    ]
    title = "The provider took what our books say it owes us"
    return Verdict(6, title, not offenders, len(currencies), offenders, len(offenders))
