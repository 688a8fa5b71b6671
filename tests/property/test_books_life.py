"""Any life of the books: sales, refunds, journals, reversals, conversions, wallets, holds, closes and lost batches.

Laws 1, 2 and 9 and every limit hold after each message; every entry is where a bookkeeper would have put it, and what
rounding leaves over is in an account that has a name.
"""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from dataclasses import astuple
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import count
from typing import TYPE_CHECKING, Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from handlers.journals.model import journal_uuid_of
from handlers.payments.model import payment_id_of
from handlers.wallets.model import grant_uuid_of, hold_uuid_of
from tests.books import (
    LEDGER,
    WALLET,
    about_period,
    approve,
    at,
    conversion,
    counted_in,
    credited,
    due,
    granted,
    handed_out,
    held,
    hold_posted,
    hold_voided,
    journal,
    limited,
    opened,
    pair,
    refund,
    refund_policy,
    refuse,
    reversal,
    spent,
)
from tests.desk import TIMERS, Desk
from tests.engines import CHECKOUT
from tests.months import begins
from tests.property.effort import examples
from tests.shop import TENANT, fees, sale

if TYPE_CHECKING:
    from handlers.journals.model import BookedLine

AMOUNTS = st.integers(1, 1_000)
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/Havana", "Africa/Cairo", "Pacific/Kiritimati"])
"""In Havana midnight of 1 November comes twice, in Cairo that of the last Friday of October."""
MONTHS = [(2026, 9), (2026, 10), (2026, 11), (2026, 12)]
STEPS = [
    "soft_close_requested",
    "close_requested",
    "close_requested",
    "reopening_requested",
    "reopening_approved",
    "reopening_refused",
]
BESIDE = st.sampled_from(
    [timedelta(microseconds=-1), timedelta(), timedelta(hours=1), timedelta(days=-20), timedelta(days=9)]
)
"""Before, at and after the first instant of a month."""


class Books(RuleBasedStateMachine):
    """One customer's wallet and a desk where anybody proposes, approves and reverses anything."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk()
        self.numbers = count()
        self.is_lost = False
        self.lowest = 0
        self.sold: dict[str, int] = {}
        self.refunds: list[tuple[str, str]] = []

    @initialize(zone=ZONES, first=st.sampled_from(STEPS[:3]))
    def open(self, zone: str, first: str) -> None:
        """A shop with its fees, a customer with a wallet, and months of some zone, of which one is over."""
        assert self.send(counted_in(zone)) == "applied"
        assert self.send(opened()) == "applied"
        assert self.send(fees(), CHECKOUT) == "applied"
        assert self.send(refund_policy(), CHECKOUT) == "applied"
        assert self.send(about_period(self.name("m"), first, "2026-09")) == "applied"

    def send(self, body: bytes, topic: str = LEDGER) -> str:
        """A message; one that the rules raise on is a bug. What is lost comes again, and does the same."""
        if self.is_lost:
            kept = deepcopy(self.desk)
            told, places = self.desk.send(body, topic), self.desk.places
            self.desk, self.is_lost = kept, False
            assert (self.send(body, topic), self.desk.places) == (told, places)
            return told
        said = self.desk.send(body, topic)
        assert "handler_error" not in said
        return said

    def name(self, kind: str) -> str:
        """Of a message that nobody sent before."""
        return f"{kind}{next(self.numbers)}"

    def later(self, **duration: int) -> str:
        """A time from now."""
        return (self.desk.now + timedelta(**duration)).isoformat()

    def moment(self, data: Any) -> datetime:
        """Somewhere near the end of a month, where it is told apart from the next."""
        beside: timedelta = data.draw(BESIDE)
        return begins(data.draw(st.sampled_from(MONTHS)), self.desk.months.zone) + beside

    @rule(data=st.data(), minor=AMOUNTS)
    def sell(self, data: Any, minor: int) -> None:
        """A shop tells of a sale, perhaps late."""
        order = self.name("o")
        said = self.send(at(self.moment(data), sale(f"sold-{order}", order, minor)), CHECKOUT)
        assert said == "applied"
        self.sold[order] = minor

    @precondition(lambda self: self.sold)
    @rule(data=st.data(), minor=st.none() | AMOUNTS)
    def give_back(self, data: Any, minor: int | None) -> None:
        """All of a sale or some of it."""
        order, name = data.draw(st.sampled_from(sorted(self.sold))), self.name("b")
        if self.send(at(self.moment(data), refund(name, order, minor)), CHECKOUT) == "applied":
            self.refunds.append((order, name))

    @precondition(lambda self: self.refunds)
    @rule(data=st.data(), was=st.booleans())
    def hand_out(self, data: Any, was: bool) -> None:  # noqa: FBT001
        """Or it fails."""
        order, name = data.draw(st.sampled_from(self.refunds))
        self.send(at(self.moment(data), handed_out(self.name("d"), order, name, was=was)), CHECKOUT)

    @rule(step=st.sampled_from(STEPS), ahead=st.integers(-1, 1), who=st.sampled_from(["ada", "grace"]))
    def turn_page(self, step: str, ahead: int, who: str) -> None:
        """Somebody of finance closes a month, or opens it again: mostly one of which that can be asked."""
        year, month = max(self.desk.months.words)
        self.send(about_period(self.name("m"), step, f"{year}-{min(month + ahead, 12):02}", who))

    @rule(data=st.data(), minor=AMOUNTS, way=st.sampled_from(["bank_transfer", "card", "goodwill"]))
    def credit(self, data: Any, minor: int, way: str) -> None:
        """Money comes in."""
        assert self.send(at(self.moment(data), credited(self.name("c"), minor, way=way))) == "applied"

    @rule(minor=AMOUNTS, days=st.integers(1, 9), priority=st.sampled_from([10, 100, 250, 400]))
    def grant(self, minor: int, days: int, priority: int) -> None:
        """A promotion."""
        assert (
            self.send(granted(self.name("g"), minor, self.later(days=days), priority=priority)) == "applied"
        )

    @rule(minor=st.integers(0, 500))
    def limit(self, minor: int) -> None:
        """An overdraft, wider or narrower."""
        self.lowest = max(self.lowest, minor)
        version = self.desk.wallets[0].limits + 1
        assert self.send(limited(self.name("l"), version, minor)) == "applied"

    @rule(minor=AMOUNTS)
    def spend(self, minor: int) -> None:
        """As much as is there, and not one unit more."""
        available = self.desk.wallets[0].available_minor(self.desk.now) or 0
        said = self.send(spent(self.name("s"), minor))
        assert said == ("applied" if minor <= available else "limit_reached")

    @rule(minor=AMOUNTS, days=st.integers(1, 9))
    def hold(self, minor: int, days: int) -> None:
        """The same, reserved."""
        available = self.desk.wallets[0].available_minor(self.desk.now) or 0
        said = self.send(held(self.name("h"), minor, self.later(days=days)))
        assert said == ("applied" if minor <= available else "limit_reached")

    @precondition(lambda self: self.desk.holds)
    @rule(data=st.data(), minor=st.none() | AMOUNTS, final=st.booleans())
    def post_hold(self, data: Any, minor: int | None, final: bool) -> None:  # noqa: FBT001
        """Whole or in part."""
        found = data.draw(st.sampled_from(self.desk.holds))
        self.send(hold_posted(self.name("p"), found.hold_id, minor, final=final))

    @precondition(lambda self: self.desk.holds)
    @rule(data=st.data())
    def void_hold(self, data: Any) -> None:
        """Let go."""
        self.send(hold_voided(self.name("v"), data.draw(st.sampled_from(self.desk.holds)).hold_id))

    @rule(data=st.data(), minor=AMOUNTS, debit=st.sampled_from(["suspense", "dispute_fee_expense"]))
    def propose(self, data: Any, minor: int, debit: str) -> None:
        """A manual journal, of any date that is not too far ahead."""
        date = min(self.moment(data), self.desk.now)
        said = self.send(journal(self.name("j"), pair(minor, debit), effective_at=date.isoformat()))
        assert said == "applied"

    @rule(rate=st.decimals("0.001", "200", places=4), difference=st.integers(-6, 6))
    def convert(self, rate: Any, difference: int) -> None:
        """A conversion; what arrived may differ."""
        bought = int(10_000 * rate) + difference
        self.send(conversion(self.name("x"), rate=str(rate), bought_minor=bought if bought > 0 else None))

    @precondition(lambda self: self.desk.entries)
    @rule(data=st.data(), whole=st.booleans(), minor=AMOUNTS, original=st.booleans())
    def reverse(self, data: Any, whole: bool, minor: int, original: bool) -> None:  # noqa: FBT001
        """Any entry of anything."""
        posting = data.draw(st.sampled_from(self.desk.entries)).posting
        lines = None if whole else [{"line": line, "amount_minor": minor} for line in (1, 2)]
        self.send(
            reversal(
                self.name("r"),
                posting.object_id,
                data.draw(st.integers(1, 2)),
                lines=lines,
                effective="original" if original else "today",
            )
        )

    @precondition(lambda self: self.desk.journals)
    @rule(data=st.data(), yes=st.booleans())
    def decide(self, data: Any, yes: bool) -> None:  # noqa: FBT001
        """Somebody else approves or refuses."""
        found = data.draw(st.sampled_from(self.desk.journals))
        if not yes:
            self.send(refuse(found.journal_id, idempotency_key=self.name("k")))
            return
        entry = {"object_id": found.reverses_object, "number": found.reverses_number}
        members: dict[str, Any] = {"reverses": entry} if found.kind == "reversal" else {}
        may, was = self.desk.may_post_by_hand(found), found.state
        said = self.send(approve(found.journal_id, event_id=self.name("a"), **members))
        assert (said == "period_closed") <= (not may)
        assert (said == "applied") <= may
        assert was == "proposed" or said == "state_forbids"

    @rule(hours=st.integers(1, 72))
    def time_passes(self, hours: int) -> None:
        """And timers that are due fire, in any order; some twice."""
        self.desk.now += timedelta(hours=hours)
        now = self.desk.now
        for wallet in self.desk.wallets:
            for bucket in wallet.buckets:
                if bucket.expires_at and bucket.expires_at <= now:
                    object_id = grant_uuid_of(TENANT, WALLET, bucket.owner.split("/")[-1])
                    at = bucket.expires_at.isoformat()
                    assert self.send(due("promotion_expiry", str(object_id), WALLET, at), TIMERS) == "applied"
        for hold in self.desk.holds:
            if hold.expires_at <= now:
                object_id = hold_uuid_of(TENANT, WALLET, hold.hold_id)
                at = hold.expires_at.isoformat()
                assert self.send(due("hold_expiry", str(object_id), WALLET, at), TIMERS) == "applied"
        for one in self.desk.journals:
            if one.act_by <= now:
                object_id = journal_uuid_of(TENANT, one.journal_id)
                timer = due("journal_expiry", str(object_id), one.journal_id, one.act_by.isoformat())
                assert self.send(timer, TIMERS) == "applied"

    @rule()
    def crash(self) -> None:
        """The next batch is lost before its commit, and comes again."""
        self.is_lost = True

    @invariant()
    def every_entry_is_where_a_bookkeeper_would_put_it(self) -> None:
        """In its own month, or at the beginning of the first one that is open, with the name of its own."""
        for entry, place in zip(self.desk.entries[-5:], self.desk.places[-5:], strict=True):
            origin = entry.origin
            assert (
                entry.cause.event_id,
                entry.posting.effective_at,
                origin and origin.effective_at,
                origin and origin.period,
            ) == astuple(place)

    def teardown(self) -> None:
        """What a whole life comes to."""
        for order, minor in self.sold.items():
            self.nothing_is_lost_in_rounding(order, minor)
        self.what_conversions_round_is_in_a_named_account()

    def nothing_is_lost_in_rounding(self, order: str, minor: int) -> None:
        """Of a sale the fee is rounded, and the merchant has the rest; of refunds the platform keeps what is over.

        So each of both has its own share to the last unit, nobody else has anything of it, and once all is given back,
        nobody has any.
        """
        payment_id = payment_id_of(TENANT, order)
        refunds = [one for one in self.desk.world.states["refund"].values() if one.payment_id == payment_id]
        objects = {str(payment_id), *(str(one.object_id) for one in refunds)}
        held = Counter[str]()
        for entry in self.desk.entries:
            if entry.posting.object_id in objects:
                for leg in entry.posting.legs:
                    held[leg.account] += leg.amount_minor if leg.side == "credit" else -leg.amount_minor
        assert held.keys() <= {
            "terminal_receivable",
            "merchant_payable",
            "platform_fee_revenue",
            "refund_clearing",
        }
        fee_minor = min(minor, round(Fraction(minor * 250, 10_000)) + 30)
        given_minor = sum(one.amount_minor for one in refunds if one.state != "failed")
        over = held["platform_fee_revenue"] - fee_minor + Fraction(fee_minor * given_minor, minor)
        failed = [one for one in refunds if one.state == "failed"]
        assert 0 <= over < 1 or (failed and abs(over) < len(refunds))
        assert held["merchant_payable"] == minor - given_minor - held["platform_fee_revenue"]
        if given_minor == minor:
            assert held["platform_fee_revenue"] == held["merchant_payable"] == 0

    def what_conversions_round_is_in_a_named_account(self) -> None:
        """Trading has what the rate says, rounded; the rounding difference what arrived beyond or below that."""
        exact = rounded = difference = 0
        for one in self.desk.journals:
            if one.kind == "conversion" and one.state == "posted":
                terms = one.terms
                by_rate = round(Fraction(terms["rate"]) * 10_000)
                assert Fraction(terms["exact_minor"]) == Fraction(terms["rate"]) * 10_000
                exact, rounded = exact + 10_000, rounded + by_rate
                difference += int(terms["difference_minor"])
        sums = dict.fromkeys([("trading", "USD"), ("trading", "EUR"), ("rounding_difference", "EUR")], 0)
        for entry in self.desk.entries:
            if entry.posting.rule == "currency_conversion":
                for leg in entry.posting.legs:
                    signed = leg.amount_minor if leg.side == "debit" else -leg.amount_minor
                    if (leg.account, leg.currency) in sums:
                        sums[leg.account, leg.currency] += signed
        assert sums == {
            ("trading", "USD"): exact,
            ("trading", "EUR"): -rounded,
            ("rounding_difference", "EUR"): -difference,
        }

    @invariant()
    def every_entry_balances_in_each_currency(self) -> None:
        """Law 1."""
        for entry in self.desk.entries[-3:]:
            sums: dict[str, int] = {}
            for leg in entry.posting.legs:
                assert leg.amount_minor > 0
                signed = leg.amount_minor if leg.side == "debit" else -leg.amount_minor
                sums[leg.currency] = sums.get(leg.currency, 0) + signed
            assert set(sums.values()) == {0}

    @invariant()
    def what_a_wallet_says_is_what_its_lines_say(self) -> None:
        """Law 2; and what it keeps is what its holds say."""
        balances = self.desk.balances()
        kept: dict[tuple[str, str], int] = {}
        for hold in self.desk.holds:
            for name, minor in hold.reserved.items():
                kept[name] = kept.get(name, 0) + minor
        for wallet in self.desk.wallets:
            for bucket in wallet.buckets:
                name = (str(bucket.account), bucket.owner)
                assert bucket.posted_minor == balances.get((*name, wallet.currency), 0)
                assert bucket.held_minor == kept.get(name, 0) >= 0
                lowest = self.lowest if bucket.account == "prepaid_balance" else 0
                assert bucket.free_minor >= -lowest

    @invariant()
    def no_line_is_reversed_above_what_it_was(self) -> None:
        """Law 9: corrections are entries, and never more than there was."""
        lines: dict[tuple[str, int], BookedLine] = {
            (f"{line.object_id}/{line.number}", line.line): line
            for rows in self.desk.world.states["booked"].values()
            for line in rows
        }
        for reversed_ in self.desk.world.states["reversal"].values():
            for line, minor in reversed_.reversed_minor.items():
                assert 0 < minor <= lines[reversed_.entry, int(line)].amount_minor

    @invariant()
    def what_is_posted_by_hand_is_what_was_approved(self) -> None:
        """And everything else is not in the books."""
        posted = {str(one.object_id) for one in self.desk.journals if one.state == "posted"}
        booked = {e.posting.object_id for e in self.desk.entries if e.posting.object_type == "journal"}
        assert posted == booked


TestBooks = Books.TestCase
TestBooks.settings = settings(max_examples=examples(16), stateful_step_count=50)
