"""What was booked wrongly is booked anew by the rule: what the old entry shows, and what somebody names."""

from __future__ import annotations

from typing import Any, Final

import pytest

from handlers.rulebook import RULEBOOK
from ops.docs.ledger import CHAPTERS, rules_of
from tests.books import approve, journal, leg, pair, reversal
from tests.desk import Desk
from tests.handlers.journals.test_journals import J1
from tests.shop import TENANT

FIRST: Final = {"object_id": J1, "number": 1}
SALE: Final = [
    leg("debit", "processor_receivable", 1999, "sandbox"),
    leg("credit", "merchant_payable", 1919, "m1"),
    leg("credit", "suspense", 80, "nobody"),  # the fee, in the wrong account
]


def desk_with(legs: list[dict[str, Any]]) -> Desk:
    """A desk with one entry in the books."""
    desk = Desk()
    assert desk.send(journal("j1", legs)) == "applied"
    assert desk.send(approve("j1")) == "applied"
    return desk


def reposted(desk: Desk, **repost: Any) -> str:
    """Somebody proposes it, somebody else agrees."""
    told = desk.send(reversal("r1", J1, effective="original", repost={"rule": "card_captured"} | repost))
    return told if told != "applied" else desk.send(approve("r1", reverses=FIRST))


def test_old_reversal_and_new_stand_in_one_group_and_only_what_is_not_shown_is_named() -> None:
    desk = desk_with(SALE)
    assert reposted(desk, amounts_minor={"fee": 80}, owners={"platform": TENANT}) == "applied"
    old, back, new = (entry.posting for entry in desk.entries)
    assert [one.rule for one in (old, back, new)] == ["manual_journal", "entry_reversal", "entry_correction"]
    assert [(leg.side, leg.account, leg.owner, leg.amount_minor) for leg in new.legs] == [
        ("debit", "processor_receivable", "sandbox", 1999),
        ("credit", "merchant_payable", "m1", 1919),
        ("credit", "platform_fee_revenue", TENANT, 80),
    ]
    assert new.effective_at == old.effective_at
    assert desk.balances()["suspense", "nobody", "EUR"] == 0
    assert desk.journals[1].terms == {
        "rule": "card_captured",
        "amount gross": "1999",
        "amount net": "1919",
        "amount fee": "80",
        "owner holder": "sandbox",
        "owner merchant": "m1",
        "owner platform": TENANT,
    }


# fmt: off
REFUSED: Final = [
    (SALE, {"rule": "card_capture"},                                        "rule_unknown"),
    (SALE, {"amounts_minor": {"fee": 80}},                                  "rule_unfilled"),
    (SALE, {"owners": {"platform": "acme"}},                                "rule_unfilled"),
    (SALE, {"owners": {"platform": "a", "bank": "b"}, "amounts_minor": {"fee": 80}}, "rule_unfilled"),
    (SALE, {"owners": {"platform": "a"}, "amounts_minor": {"fee": 80, "tax": 1}},    "rule_unfilled"),
    (SALE, {"owners": {"platform": "a"}, "amounts_minor": {"fee": 79}},     "journal_unbalanced"),
    (SALE, {"owners": {"platform": "a"}, "amounts_minor": {"fee": 0, "net": 0, "gross": 0}}, "journal_unbalanced"),
    ([*pair(5), leg("debit", "trading", 1, currency="USD"), leg("credit", "trading", 1, currency="USD"),
      leg("debit", "trading", 1), leg("credit", "trading", 1)], {}, "currencies_mixed"),
]
# fmt: on


@pytest.mark.parametrize(("legs", "repost", "reason"), REFUSED)
def test_what_a_rule_does_not_say_is_refused(
    legs: list[dict[str, Any]], repost: dict[str, Any], reason: str
) -> None:
    assert reposted(desk_with(legs), **repost) == reason


def test_legs_and_a_rule_are_two_ways_to_say_it() -> None:
    both = reversal("r1", J1, legs=pair(1), repost={"rule": "card_captured"})
    assert "legs, repost" in desk_with(SALE).send(both)


def test_a_rule_posts_where_no_person_may() -> None:
    """By hand nobody posts to clearing accounts; to put right what a rule booked there, the rule is named."""
    wrong = [leg("debit", "merchant_payable", 500, "m1"), leg("credit", "suspense", 500, "sandbox")]
    desk = desk_with(wrong)
    told = reposted(
        desk,
        rule="refund_submitted",
        owners={"platform": TENANT, "holder": "sandbox"},
        amounts_minor={"fee": 0, "gross": 500},
    )
    assert told == "applied"
    assert desk.balances()["refund_clearing", "sandbox", "EUR"] == 500


def test_the_rulebook_has_every_rule_but_those_of_wallets() -> None:
    *others, wallets = CHAPTERS
    assert wallets.title == "Wallets"
    assert {rule.name: rule for chapter in others for rule in rules_of(chapter.postings)} == RULEBOOK
