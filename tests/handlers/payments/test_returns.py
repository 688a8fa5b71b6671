"""A bank takes a debit back: all of it, or what a dispute and refunds have left of it."""

from __future__ import annotations

from tests.handlers.payments.situations import debited
from tests.handlers.scene import Scene


def booked_at_provider(scene: Scene) -> int:
    """What the entries say that the provider still has for us."""
    return sum(
        leg.amount_minor if leg.side == "debit" else -leg.amount_minor
        for posting in scene.postings
        for leg in posting.legs
        if leg.account == "debit_receivable"
    )


def test_a_return_of_a_part_books_that_part_into_suspense() -> None:
    scene = debited().having(disputed_minor=600).report("failed", captured_minor=600)
    assert scene.postings[-1].rule == "debit_return_unapplied"
    assert (booked_at_provider(scene), scene.payment.state) == (600, "succeeded")


def test_a_part_that_is_gone_leaves_the_payment_as_it_is_for_a_person() -> None:
    scene = debited().report("failed", captured_minor=1)
    assert (booked_at_provider(scene), scene.payment.state) == (1, "succeeded")
    assert scene.notices == ["payment.returned_unapplied"] * 2


def test_a_failure_that_takes_nothing_back_books_nothing() -> None:
    scene = debited()
    entries = len(scene.postings)
    scene.report("failed", captured_minor=scene.payment.captured_minor)
    assert (len(scene.postings), scene.payment.state) == (entries, "succeeded")
