"""The report of a day: what came in and what became of it, the books, and the verdict on each law."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from db.connection import connect
from db.queries import demo as sql
from db.queries import reports
from handlers.ledger.model import CHART, DEBIT, Code
from ops.checks import Verdict, check
from ops.demo.agreement import PROVIDER, disputes_agree, provider_agrees
from ops.demo.books.agreement import books_agree
from ops.demo.books.proof import prove
from ops.demo.books.summary import summarize
from ops.demo.readback import read_back
from schemas.reasons import REASONS, Fault, Reason
from schemas.topics import INBOUND

if TYPE_CHECKING:
    from collections.abc import Mapping

    from db.connection import Connection
    from ops.demo.books.draft import Books
    from ops.demo.books.summary import BooksSummary
    from ops.demo.stage import Stage
    from ops.demo.weeks import Aftermath

OUTCOMES: Final = ("applied", "duplicate", "rejected", "parked", "dead")
"""What can become of a message; the five add up to what was received (law 12)."""
CATEGORIES: Final = (
    "captured",
    "refunded",
    "in_flight",
    "disputed",
    "lost",
    "fees_kept",
    "fees_returned",
    "dispute_fees",
)
"""Where money that was taken is now. `in_flight`: refunds asked for that have not arrived; `disputed`: withdrawn, and
nobody has decided yet; `lost`: disputes that were; `dispute_fees`: what the provider charged for all of them."""
MAY_VARY: Final = {
    "provider.results": "an answer may meet a state that a webhook has reported before it",
    "webhook.events": "a webhook may come after the answer, or after a newer webhook",
    "timer.events": "timers of states that were passed through in another order",
    "provider_calls": "how often the provider was asked again while nobody knew",
    "published": "events follow those messages, such as payment.outcome_unknown.v1",
}
"""Which counts may differ between two runs with one seed, and why; so may their sums, and the reasons `call_stale` and
`report_outdated`. States, entries and money may not: they are the same, whoever came first."""


@dataclass(frozen=True, slots=True)
class Turnover:
    """One currency of the trial balance, over all tenants, in minor units."""

    debit_minor: int
    credit_minor: int


@dataclass(frozen=True, slots=True)
class Report:
    """The whole report. Amounts are minor units; `money` is signed on each account's normal side.

    `categories`: currency -> CATEGORIES -> amount. `webhooks`: what became of what the provider told, see _webhooks.
    `events` are the day's, `events_after` what was published on the days after it, to the topic of the checkout;
    `commands` what was asked of the books, on all days.
    """

    events: int
    events_after: int
    commands: int
    seed: int
    seconds: float
    by_topic: Mapping[str, Counter[str]]
    rejections: Mapping[str, int]
    dead_letters: Mapping[str, int]
    payments: Mapping[str, int]
    refunds: Mapping[str, int]
    disputes: Mapping[str, int]
    webhooks: Mapping[str, int]
    categories: Mapping[str, Mapping[str, int]]
    entries_by_rule: Mapping[str, int]
    turnover: Mapping[str, Turnover]
    money: Mapping[str, Mapping[str, int]]
    books: BooksSummary
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
        """The day's events by the time until everything was settled."""
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
            "refunds": self.refunds,
            "disputes": self.disputes,
            "webhooks": self.webhooks,
            "money": self.money,
            "money_by_category": self.categories,
            **self.books.as_json(),
            "events_per_second": round(self.events_per_second, 1),
            "laws": [asdict(verdict) for verdict in self.laws],
            "ok": self.ok,
            "events": self.events,
            "events_after": self.events_after,
            "commands": self.commands,
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
            "may_vary": MAY_VARY,
        }


async def make_report(
    stage: Stage,
    *,
    events: int,
    seed: int,
    seconds: float,
    owed_before: Mapping[str, int],
    desks: Books,
    aftermath: Aftermath,
) -> Report:
    """Read everything that the report says from the database, from Kafka and from the provider.

    `owed_before` is what providers owed us by currency before the day, for servers that were not empty.
    """
    connection: Any = await connect(stage.at.database_url, application="counterfoil report")
    try:
        proof, sealed = await prove(connection)
        readback = await read_back(stage.at.kafka, stage.at.database_url)
        reasons = await sql.reasons(connection)
        books = await reports.trial_balance(connection, tenant=None, currency=None)
        by_topic = await _by_topic(connection)
        return Report(
            events=events,
            events_after=aftermath.records,
            commands=desks.script.commands,
            seed=seed,
            seconds=seconds,
            by_topic=by_topic,
            rejections={row["reason"]: row["messages"] for row in reasons if row["outcome"] == "rejected"},
            dead_letters={row["reason"]: row["messages"] for row in reasons if row["outcome"] == "dead"},
            payments={row["state"]: row["payments"] for row in await sql.payment_states(connection)},
            refunds={row["state"]: row["refunds"] for row in await sql.refund_states(connection)},
            disputes={row["state"]: row["disputes"] for row in await sql.dispute_states(connection)},
            webhooks=await _webhooks(stage, connection, by_topic["webhook.events"], aftermath),
            categories=await _categories(connection),
            entries_by_rule={row["rule"]: row["entries"] for row in await sql.entry_rules(connection)},
            turnover=_turnover(books),
            money=_money(books),
            books=await summarize(connection, proof),
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
                await provider_agrees(stage.provider, connection, owed_before),
                await disputes_agree(stage.provider, connection),
                *await books_agree(connection, desks),
                *sealed,
            ),
        )
    finally:
        await connection.close()


async def owed_by_providers(database_url: str) -> dict[str, int]:
    """What our books say that providers owe us, by currency."""
    connection: Any = await connect(database_url, application="counterfoil report")
    try:
        owed = await sql.owed_by_provider(connection, provider=PROVIDER)
        return {row["currency"]: row["balance_minor"] for row in owed}
    finally:
        await connection.close()


async def _by_topic(connection: Connection) -> dict[str, Counter[str]]:
    counts: dict[str, Counter[str]] = {topic: Counter() for topic in INBOUND}
    for row in await sql.outcomes(connection):
        counts[row["topic"]][row["outcome"]] = row["messages"]
    return counts


async def _webhooks(
    stage: Stage, connection: Connection, messages: Counter[str], aftermath: Aftermath
) -> dict[str, int]:
    """Delivered is kept and repeated; each that was kept is a message with an outcome; a stranger's were refused."""
    kept = await sql.webhooks_kept(connection)
    delivered = (await stage.provider.told()).delivered
    return {
        "delivered": delivered,
        "kept": kept["kept"],
        "repeated": delivered - kept["kept"],
        "unreadable": kept["unreadable"],
        "refused": aftermath.refused.total(),
        **{outcome: messages[outcome] for outcome in OUTCOMES},
    }


async def _categories(connection: Connection) -> dict[str, dict[str, int]]:
    taken = {row["currency"]: dict(row) for row in await sql.money_of_payments(connection)}
    disputed = {row["currency"]: dict(row) for row in await sql.money_of_disputes(connection)}
    returned = {row["currency"]: row["fees_returned_minor"] for row in await sql.fees_returned(connection)}
    found = {}
    for currency, sums in sorted(taken.items()):
        known = sums | disputed.get(currency, {}) | {"fees_returned_minor": returned.get(currency, 0)}
        known["fees_kept_minor"] = known["fees_minor"] - known["fees_returned_minor"]
        found[currency] = {name: known.get(f"{name}_minor", 0) for name in CATEGORIES}
    return found


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
