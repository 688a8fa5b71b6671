"""What must hold after every step, and when all is settled: our books against the provider's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from handlers.disputes.states import TRANSITIONS as DISPUTE_TABLE
from handlers.payments.states import TRANSITIONS as PAYMENT_TABLE
from handlers.refunds.states import IN_FLIGHT, RESERVING
from handlers.refunds.states import TRANSITIONS as REFUND_TABLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from handlers.payments.model import Payment
    from tests.property.machine.memory import Memory
    from tests.property.machine.town import Town

TABLES: Final[Mapping[str, Mapping[Any, Any]]] = {
    "payment": PAYMENT_TABLE,
    "refund": REFUND_TABLE,
    "dispute": DISPUTE_TABLE,
}
AT_PROVIDER: Final = ("processor_receivable", "debit_receivable")
TAKEN: Final = ("card_captured", "debit_collected", "late_success_received")
GIVEN: Final = (
    "refund_paid_card",
    "refund_paid_bank_debit",
    "refund_unplaced_card",
    "refund_unplaced_bank_debit",
    "late_success_returned",
)
COLLECTED: Final = ("cash_collected", "terminal_sale", "transfer_received")
CASH: Final = ("carrier_receivable", "terminal_receivable", "bank_clearing")


def hold_now(town: Town, order_id: str) -> None:
    """Laws 5, 6 and 7 of one order, at any moment."""
    payment = town.payment(order_id)
    if payment is None:
        assert not +town.memory.books[order_id]
        return
    _sums(town.memory, payment)
    _histories(town.memory, payment)
    _calls(town.memory, payment)
    _nothing_is_guessed(town, order_id)


def _sums(memory: Memory, payment: Payment) -> None:
    """Law 7, and that the payment's sums are those of its refunds and disputes."""
    assert 0 <= payment.captured_minor <= payment.authorized_minor <= payment.amount_minor
    assert payment.refunding_minor >= 0
    assert payment.refunded_minor >= 0
    assert payment.refunding_minor + payment.refunded_minor <= payment.captured_minor
    refunds = _of(memory, "refund", payment)
    reserving = [one for one in refunds if one.state in RESERVING]
    assert payment.refunding_minor == sum(one.placed_minor for one in reserving)
    assert payment.refunded_minor == sum(one.placed_minor for one in refunds if one.state == "succeeded")
    disputes = _of(memory, "dispute", payment)
    counted = [one for one in disputes if one.standing in {"open", "lost"}]
    assert payment.disputed_minor == sum(one.amount_minor for one in counted)
    books = memory.books[payment.order_id]
    flying = sum(one.placed_minor for one in refunds if one.state in IN_FLIGHT)
    assert -books["refund_clearing"] == flying
    open_minor = sum(one.withdrawn_minor for one in disputes if one.standing != "lost")
    assert books["chargeback_clearing"] == open_minor
    assert sum(books.values()) == 0


def _histories(memory: Memory, payment: Payment) -> None:
    """Law 5: what is stored is where the history ends."""
    owned = (*_of(memory, "refund", payment), *_of(memory, "dispute", payment))
    for one, object_id in ((payment, payment.payment_id), *((one, one.object_id) for one in owned)):
        assert memory.steps[object_id] == (one.state, one.version)


def _calls(memory: Memory, payment: Payment) -> None:
    """Law 6: what waits for an answer has asked; who does not know has asked."""
    owned = (*_of(memory, "refund", payment), *_of(memory, "dispute", payment))
    for one in (payment, *owned):
        assert one.certain or one.call_id is not None
        if one.call_id is not None:
            assert memory.calls[one.call_id].payment_id == payment.payment_id
    assert payment.state != "processing" or payment.call_id is not None


def _nothing_is_guessed(town: Town, order_id: str) -> None:
    """Law 6: no entry says that money moved which did not move at the provider."""
    moved, provider = town.memory.moved[order_id], town.provider
    came_minor = provider.ever_taken_minor(order_id) + provider.came_back_minor(order_id)
    assert sum(moved[rule] for rule in TAKEN) <= came_minor
    assert sum(moved[rule] for rule in GIVEN) <= provider.ever_given_minor(order_id)
    assert sum(moved[rule] for rule in COLLECTED) == town.collected_minor[order_id]


def hold_when_settled(town: Town, order_id: str) -> None:
    """All is delivered and answered: to the cent, our books say what the provider's own say, and nothing hangs."""
    payment = town.payment(order_id)
    if payment is None or (payment.state == "settling" and not payment.certain):
        return  # of a bank that takes too long a person decides; until then the rest waits
    books = town.memory.books[order_id]
    ours = sum(books[code] for code in AT_PROVIDER)
    theirs = town.provider.owes_minor(order_id) - _reversals_under_way(town, payment)
    assert ours == theirs, f"{order_id}: we book {ours} at the provider, it holds {theirs} for us"
    held = sum(books[code] for code in CASH)
    assert held == town.collected_minor[order_id] - town.handed_out_minor[order_id]
    assert payment.call_id is None, f"{order_id} still waits for {payment.call_operation}"
    for one in (*_of(town.memory, "refund", payment), *_of(town.memory, "dispute", payment)):
        assert one.call_id is None, f"{one} still waits"
    pending = {
        one.reference
        for one in town.provider.refunds.values()
        if one.status == "pending" and one.charge.order_id == order_id
    }
    flying = {
        one.provider_reference
        for one in _of(town.memory, "refund", payment)
        if one.state in IN_FLIGHT and one.provider is not None
    }
    assert flying <= pending, f"{order_id}: we wait for {flying}, the provider for {pending}"


def _reversals_under_way(town: Town, payment: Payment) -> int:
    """A late success whose refund the provider has taken on counts as given back; if it fails, it is in suspense."""
    known = {one.object_id for one in _of(town.memory, "refund", payment)}
    return sum(
        one.amount_minor
        for one in town.provider.refunds.values()
        if one.status == "pending"
        and one.charge.order_id == payment.order_id
        and one.refund_id is not None
        and one.refund_id not in known
    )


def _of(memory: Memory, kind: str, payment: Payment) -> list[Any]:
    return [one for one in memory.of(kind) if one.payment_id == payment.payment_id]


def not_taken(memory_taken: Iterable[tuple[str, str | None, str]]) -> set[tuple[str, str | None, str]]:
    """Transitions of the tables that no history has."""
    allowed = {(kind, state, trigger) for kind, table in TABLES.items() for state, trigger in table}
    return allowed - set(memory_taken)


def forbidden_steps(memory_taken: Iterable[tuple[str, str | None, str]]) -> set[tuple[str, str | None, str]]:
    """Steps that histories have and the tables do not."""
    allowed = {(kind, state, trigger) for kind, table in TABLES.items() for state, trigger in table}
    return set(memory_taken) - allowed
