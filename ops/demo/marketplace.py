"""A day of a marketplace as records for `checkout.events`: seeded, so that the same seed gives the same bytes.

All randomness comes from the seed, every id and time from its place on the day; no clock is read. Of all records 5%
are duplicates (most byte for byte, a fifth of them the same command under a new event id), 0.5% are another body
under a used event id, 1% cannot be read, and 2% come before the message that they refer to.

What the books say in the end must not depend on how fast consumers are, how partitions move or what crashes:

- Orders: see journeys.py. Kafka keeps the order of an order's records, because they share a key.
- Duplicates, repeats and conflicting bodies come after their original, under its key. A repeat is told the original's
  outcome; while the original waits, the repeat waits behind it.
- Fee schedules have another key, so they may be overtaken. An order of a merchant without fees waits for them. Every
  merchant's first version holds for the whole day and later ones from later days, so that no order's terms depend
  on whether the later version is known yet. A merchant's versions share a key, so they come in order.
- Unreadable records touch nothing.

What may differ between two runs: offsets, database ids, the times at which something was done, and whether an outcome
at the provider was unknown for a while.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import chain, cycle, islice
from random import Random
from typing import TYPE_CHECKING, Any, Final

import orjson

from ops.demo.journeys import AT_THE_TILL, JOURNEYS
from ops.demo.merchants import DAY, settle_in
from ops.demo.orders import Order, Step
from ops.demo.unreadable import FLAWS
from schemas.envelope import SPEC_VERSION
from schemas.outgoing import partition_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ops.demo.journeys import Journey
    from ops.demo.merchants import Market, Merchant
    from ops.demo.orders import Cue

CHECKOUT: Final = "checkout.events"
FEWEST_EVENTS: Final = 150
"""Below this a day has no room for every kind of journey."""
EXACT_DUPLICATES: Final = 0.04
REPEATED_COMMANDS: Final = 0.01
OTHER_BODIES: Final = 0.005
UNREADABLE: Final = 0.01
OUT_OF_ORDER: Final = 0.02
EVENTS_OF_A_MERCHANT: Final = 250
MERCHANTS: Final = range(8, 61)
OPENING_S: Final = 6 * 3600
LATE_OPENING_S: Final = 13 * 3600
CLOSING_S: Final = 22 * 3600


@dataclass(frozen=True, slots=True)
class Record:
    """A record to publish; if it has a cue, after that."""

    key: bytes
    value: bytes
    cue: Cue | None = None
    topic: str = CHECKOUT


@dataclass(slots=True)
class _Sent:
    """A message with its place on the day: `at_s` seconds after midnight it reaches Kafka."""

    at_s: float
    market: Market
    object_id: str
    event: dict[str, Any]
    cue: Cue | None = None
    value: bytes | None = None

    def record(self) -> Record:
        key = partition_key(self.market.tenant, self.object_id).encode()
        return Record(key, orjson.dumps(self.event) if self.value is None else self.value, self.cue)


def generate(events: int, seed: int) -> Iterator[Record]:
    """The day's records in the order in which they are published, exactly `events` of them.

    Raises:
        ValueError: fewer events than a day needs.
    """
    if events < FEWEST_EVENTS:
        raise ValueError(f"a day has at least {FEWEST_EVENTS} events, not {events}")
    return (sent.record() for sent in _Day(events, seed).sent())


def merchants_of(events: int, seed: int) -> list[Merchant]:
    """The merchants of such a day."""
    return _Day(events, seed).merchants


def message(
    event_id: str, market: Market, object_id: str, event_type: str, at_s: float, data: dict[str, Any]
) -> dict[str, Any]:
    """A message of a shop, `at_s` seconds after the day began."""
    return {
        "specversion": SPEC_VERSION,
        "id": event_id,
        "source": market.source,
        "type": event_type,
        "time": (DAY + timedelta(seconds=round(at_s, 3))).isoformat(),
        "tenant": market.tenant,
        "subject": object_id,
        "data": data,
    }


class _Day:
    """The draft of a day."""

    def __init__(self, events: int, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311 - a day that can be repeated, no secret
        self.events = events
        self.seed = seed
        self._ids = 0
        count = min(max(events // EVENTS_OF_A_MERCHANT, MERCHANTS.start), MERCHANTS.stop - 1)
        self.merchants = [settle_in(self.random, number) for number in range(count)]

    def sent(self) -> list[_Sent]:
        """Everything, in order. A sort by time is stable: what comes at the same moment keeps its order."""
        openings = [sent for merchant in self.merchants for sent in self._opening(merchant)]
        again, repeated, contradicted, unreadable = (
            round(self.events * share)
            for share in (EXACT_DUPLICATES, REPEATED_COMMANDS, OTHER_BODIES, UNREADABLE)
        )
        orders = self._orders(self.events - len(openings) - again - repeated - contradicted - unreadable)
        good = [*openings, *chain.from_iterable(orders)]
        extra = [
            *self._again(good, again),
            *self._repeated(good, repeated),
            *self._contradicted(good, contradicted),
            *self._unreadable(good, unreadable),
        ]
        return sorted([*good, *extra], key=lambda sent: sent.at_s)

    def _opening(self, merchant: Merchant) -> list[_Sent]:
        """The merchant's fee schedules, one after the other."""
        at_s = LATE_OPENING_S if merchant.opens_late else self.random.uniform(0, OPENING_S)
        return [
            self._message(
                at_s + number, merchant.market, merchant.merchant_id, "checkout.merchant_fees_set.v1", fees
            )
            for number, fees in enumerate(merchant.fees)
        ]

    def _orders(self, room: int) -> list[list[_Sent]]:
        """Orders with `room` messages in all: every journey once, then as their weights say."""
        names = self.random.choices(JOURNEYS, [journey.weight for journey in JOURNEYS], k=room)
        orders: list[list[_Sent]] = []
        overtaking: list[list[_Sent]] = []
        for number, drawn in enumerate(chain(JOURNEYS, names)):
            order = Order(self.random, self.random.choice(self.merchants), f"order-{self.seed}-{number:06d}")
            steps = drawn.steps(order)
            journey: Journey = drawn
            if len(steps) > room:
                journey, steps = AT_THE_TILL, AT_THE_TILL.steps(order)
            orders.append(self._placed(order, steps))
            if journey.may_overtake:
                overtaking.append(orders[-1])
            room -= len(steps)
            if not room:
                break
        for first, second, *_ in self.random.sample(
            overtaking, k=min(len(overtaking), round(self.events * OUT_OF_ORDER))
        ):
            first.at_s, second.at_s = second.at_s, first.at_s
        return orders

    def _placed(self, order: Order, steps: list[Step]) -> list[_Sent]:
        """The order's messages, each at its time; evenings are busier than mornings."""
        at_s = self.random.triangular(OPENING_S, CLOSING_S, 0.8 * CLOSING_S)
        placed = []
        for step in steps:
            at_s += step.after_s + 0.001
            placed.append(
                self._message(at_s, order.merchant.market, order.order_id, step.type, step.data, step.cue)
            )
        return placed

    def _again(self, good: list[_Sent], count: int) -> Iterator[_Sent]:
        """Byte for byte the same."""
        for sent in self.random.sample(good, k=count):
            yield replace(sent, at_s=self._later(sent), cue=None)

    def _repeated(self, good: list[_Sent], count: int) -> Iterator[_Sent]:
        """The same command under a new event id."""
        commands = [sent for sent in good if "idempotency_key" in sent.event["data"]]
        for sent in self.random.sample(commands, k=count):
            yield replace(sent, at_s=self._later(sent), cue=None, event=sent.event | {"id": self._new_id()})

    def _contradicted(self, good: list[_Sent], count: int) -> Iterator[_Sent]:
        """Another amount under the same event id."""
        for sent in self.random.sample(_with_amount(good), k=count):
            data = sent.event["data"]
            amount = data["amount"] | {"amount_minor": data["amount"]["amount_minor"] + 1}
            yield replace(
                sent, at_s=self._later(sent), event=sent.event | {"data": data | {"amount": amount}}
            )

    def _unreadable(self, good: list[_Sent], count: int) -> Iterator[_Sent]:
        """Every flaw in turn, each in a message that would be new."""
        samples = self.random.sample(_with_amount(good), k=count)
        for sent, flaw in zip(samples, islice(cycle(FLAWS), count), strict=True):
            body = orjson.dumps(sent.event | {"id": self._new_id()})
            yield replace(sent, at_s=self._later(sent), value=flaw.spoil(body))

    def _later(self, sent: _Sent) -> float:
        return sent.at_s + self.random.expovariate(1 / 900)

    def _new_id(self) -> str:
        self._ids += 1
        return f"event-{self.seed}-{self._ids:06d}"

    def _message(
        self,
        at_s: float,
        market: Market,
        object_id: str,
        event_type: str,
        data: dict[str, Any],
        cue: Cue | None = None,
    ) -> _Sent:
        event = message(self._new_id(), market, object_id, event_type, at_s, data)
        return _Sent(at_s, market, object_id, event, cue)


def _with_amount(good: list[_Sent]) -> list[_Sent]:
    return [sent for sent in good if "amount" in sent.event["data"]]
