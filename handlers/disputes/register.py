"""What a payment knows of its disputes, so that one dispute's rule can respect the others.

The payment's row is the one that is locked, so it keeps, in its metadata, a note for each dispute and one for the loss
beyond the money left of it. No shop can write such names: they have a blank in them.

    "dispute dp_1": "lost 6000 6000"     standing, disputed amount, money lost, in minor units
    "disputes in suspense": "1000"
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from handlers.disputes.states import Standing
from schemas.value import value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from handlers.disputes.model import Dispute
    from handlers.payments.model import Payment

_DISPUTE: Final = "dispute "
SUSPENSE_NOTE: Final = "disputes in suspense"
"""Where a payment notes how much of its losses is in suspense."""


@value
class Share:
    """One dispute's part in its payment. `lost_minor` is what the provider keeps of ours for it."""

    standing: Standing
    amount_minor: int
    lost_minor: int


@value
class Register:
    """All disputes of a payment that took or asked for money, by their references, and what is booked as suspense."""

    shares: Mapping[str, Share]
    suspense_minor: int

    @property
    def disputed_minor(self) -> int:
        """In disputes that are open or lost."""
        counted = {Standing.OPEN, Standing.LOST}
        return sum(share.amount_minor for share in self.shares.values() if share.standing in counted)

    @property
    def lost_minor(self) -> int:
        """What the provider keeps, for all disputes."""
        return sum(share.lost_minor for share in self.shares.values())

    @property
    def standing(self) -> Standing:
        """Of the payment as a whole: open before lost before won."""
        return strongest(share.standing for share in self.shares.values())

    def merchant_minor(self, payment: Payment) -> int:
        """How much of the loss the merchant bears: no more than was disputed, nor than the payment has left (law 7)."""
        disputed = sum(min(share.lost_minor, share.amount_minor) for share in self.shares.values())
        left = payment.captured_minor - payment.refunded_minor - payment.refunding_minor
        return min(disputed, max(left, 0))


def strongest(standings: Iterable[Standing]) -> Standing:
    """The one that a payment with all of these has."""
    found = set(standings)
    return next((one for one in (Standing.OPEN, Standing.LOST, Standing.WON) if one in found), Standing.NONE)


def share_of(dispute: Dispute) -> Share:
    """A dispute's part."""
    standing = Standing(dispute.standing)
    lost_minor = dispute.withdrawn_minor if standing is Standing.LOST else 0
    return Share(standing, dispute.amount_minor, lost_minor)


def read_register(payment: Payment) -> Register:
    """From the payment's notes."""
    shares = {}
    for name, note in payment.metadata.items():
        if name.startswith(_DISPUTE):
            standing, amount_minor, lost_minor = note.split(" ")
            shares[name.removeprefix(_DISPUTE)] = Share(
                Standing(standing), int(amount_minor), int(lost_minor)
            )
    return Register(shares, int(payment.metadata.get(SUSPENSE_NOTE, "0")))


def with_dispute(register: Register, payment: Payment, dispute: Dispute) -> Register:
    """The register with a dispute as it is now, and the suspense that follows from all of them."""
    shares = {**register.shares, dispute.dispute_reference: share_of(dispute)}
    after = Register(shares, 0)
    return Register(shares, after.lost_minor - after.merchant_minor(payment))


def written(payment: Payment, register: Register) -> Mapping[str, str]:
    """The payment's metadata with the register's notes."""
    notes = {
        f"{_DISPUTE}{reference}": f"{share.standing} {share.amount_minor} {share.lost_minor}"
        for reference, share in sorted(register.shares.items())
        if share.standing is not Standing.NONE
    }
    suspense = {SUSPENSE_NOTE: str(register.suspense_minor)} if register.suspense_minor else {}
    others = {
        name: note
        for name, note in payment.metadata.items()
        if not name.startswith(_DISPUTE) and name != SUSPENSE_NOTE
    }
    return {**others, **notes, **suspense}
