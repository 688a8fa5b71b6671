"""Any life of the books, with journals, reversals, conversions, wallets, holds, expiries and lost batches.

Laws 1, 2 and 9 and every limit hold after each message, and a balance as of any moment is the sum of its lines by then.
"""

from __future__ import annotations

from copy import deepcopy
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from handlers.journals.model import journal_uuid_of
from handlers.wallets.model import grant_uuid_of, hold_uuid_of
from tests.books import (
    WALLET,
    approve,
    conversion,
    credited,
    due,
    granted,
    held,
    hold_posted,
    hold_voided,
    journal,
    limited,
    opened,
    pair,
    refuse,
    reversal,
    spent,
)
from tests.desk import TIMERS, Desk
from tests.property.effort import examples
from tests.shop import TENANT

if TYPE_CHECKING:
    from handlers.journals.model import BookedLine

AMOUNTS = st.integers(1, 1_000)
NAMES = st.integers(1, 6)


class Books(RuleBasedStateMachine):
    """One customer's wallet and a desk where anybody proposes, approves and reverses anything."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk()
        self.numbers = count()
        self.sent: list[tuple[bytes, str]] = []
        self.lowest = 0
        self.send(opened())

    def send(self, body: bytes, topic: str = "ledger.commands") -> str:
        """A message; one that the rules raise on is a bug."""
        said = self.desk.send(body, topic)
        assert "handler_error" not in said
        self.sent.append((body, topic))
        return said

    def name(self, kind: str) -> str:
        """Of a message that nobody sent before."""
        return f"{kind}{next(self.numbers)}"

    def later(self, **duration: int) -> str:
        """A time from now."""
        return (self.desk.now + timedelta(**duration)).isoformat()

    @rule(minor=AMOUNTS, way=st.sampled_from(["bank_transfer", "card", "goodwill"]))
    def credit(self, minor: int, way: str) -> None:
        """Money comes in."""
        assert self.send(credited(self.name("c"), minor, way=way)) == "applied"

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

    @rule(minor=AMOUNTS, debit=st.sampled_from(["suspense", "dispute_fee_expense", "bank_clearing"]))
    def propose(self, minor: int, debit: str) -> None:
        """A manual journal."""
        assert self.send(journal(self.name("j"), pair(minor, debit))) == "applied"

    @rule(rate=st.decimals("0.001", "200", places=4), difference=st.integers(-6, 6))
    def convert(self, rate: Any, difference: int) -> None:
        """A conversion; what arrived may differ."""
        bought = int(10_000 * rate) + difference
        self.send(conversion(self.name("x"), rate=str(rate), bought_minor=bought if bought > 0 else None))

    @precondition(lambda self: self.desk.entries)
    @rule(data=st.data(), whole=st.booleans(), minor=AMOUNTS, original=st.booleans())
    def reverse(self, data: Any, whole: bool, minor: int, original: bool) -> None:  # noqa: FBT001
        """Of any entry that no wallet has: those are guarded by the database alone."""
        posting = data.draw(st.sampled_from(self.desk.entries)).posting
        if posting.object_type != "journal":
            return
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
        self.send(approve(found.journal_id, event_id=self.name("a"), **members))

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

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def crash(self, data: Any) -> None:
        """A batch is lost before its commit, and comes again: what it did is as if it had been done once."""
        body, topic = data.draw(st.sampled_from(self.sent[-3:]))
        kept = deepcopy(self.desk)
        before = self.desk.balances()
        self.desk.send(body, topic)
        self.desk = kept
        assert self.desk.balances() == before

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
