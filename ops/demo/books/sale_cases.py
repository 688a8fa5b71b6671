"""What turns out to be wrong with sales of the day, at their marketplace's desk: taken back, booked anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ops.demo.books.desk import Instead, Legs, these
from ops.demo.books.houses import CHIEF, CLERK, MANAGER, leg
from ops.demo.cases import DECIDED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ops.demo.books.desk import Desk

OTHER_SHOP: Final = "corner-shop"


class SaleDesk:
    """A sale of the day at the desk of its marketplace.

    `sale` has order_id, merchant_id, currency, amount_minor, fee_minor and the payment's id.
    """

    def __init__(self, desk: Desk, sale: Mapping[str, Any]) -> None:
        self.desk = desk
        self.sale = sale
        self.entry = {"object_id": str(sale["payment_id"]), "number": 1}
        self.gross_minor: int = sale["amount_minor"]
        self.fee_minor: int = sale["fee_minor"]

    def was_anothers(self) -> None:
        """It is taken back at its own date, and booked to who sold it; not by a manager, who books no payments."""
        legs = self._booked()
        self.desk.proposer = MANAGER
        self.desk.reverse(self.entry, legs, day=DECIDED, refused="actor_not_allowed")
        self.desk.proposer = CLERK
        right = [one | {"owner": OTHER_SHOP} if one["account"] == "merchant_payable" else one for one in legs]
        self._approved(legs, instead=these(right), effective="original")

    def was_paid_in_part(self) -> None:
        """A third of it never was."""
        minor = self.gross_minor // 3
        part = [one | {"amount_minor": minor} for one in self._booked()[:2]]
        self._approved(part, lines=[(1, minor), (2, minor)])

    def was_a_transfer(self) -> None:
        """It is booked anew by the rule for transfers, which needs what the old entry does not show."""
        legs = self._booked()
        owners = {
            "holder": "house-bank",
            "merchant": self.sale["merchant_id"],
            "platform": self.desk.market.tenant,
        }
        amounts = {
            "gross": self.gross_minor,
            "net": self.gross_minor - self.fee_minor,
            "fee": self.fee_minor,
        }
        repost = {"rule": "transfer_received", "owners": owners, "amounts_minor": amounts}
        for said, reason in (
            (repost | {"rule": "by_hand"}, "rule_unknown"),
            (repost | {"owners": {}}, "rule_unfilled"),
            (repost | {"amounts_minor": amounts | {"gross": self.gross_minor + 1}}, "journal_unbalanced"),
        ):
            self.desk.reverse(
                self.entry, legs, day=DECIDED, instead=Instead([], {"repost": said}), refused=reason
            )
        right = [
            leg("debit", "bank_clearing", "house-bank", self.gross_minor, legs[0]["currency"]),
            *legs[1:],
        ]
        self._approved(legs, instead=Instead(right, {"repost": repost}))

    def _approved(self, taken_back: Legs, **more: Any) -> None:
        journal_id = self.desk.reverse(self.entry, taken_back, day=DECIDED, **more)
        self.desk.approve(journal_id, day=DECIDED, who=CHIEF, reverses=self.entry)

    def _booked(self) -> Legs:
        """The sale's entry as the system posted it."""
        currency, net_minor = self.sale["currency"], self.gross_minor - self.fee_minor
        fee = [leg("credit", "platform_fee_revenue", self.desk.market.tenant, self.fee_minor, currency)]
        return [
            leg("debit", "terminal_receivable", "point_of_sale", self.gross_minor, currency),
            leg("credit", "merchant_payable", self.sale["merchant_id"], net_minor, currency),
            *(fee if self.fee_minor else []),
        ]


SALE_CASES: Final = (SaleDesk.was_anothers, SaleDesk.was_paid_in_part, SaleDesk.was_a_transfer)
"""What turns out to be wrong with a sale, in turn."""
