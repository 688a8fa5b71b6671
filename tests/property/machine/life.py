"""One order's life, told step by step: what the shop asks, how the provider answers, what happens there by itself.

Life(town).hold().capture(300)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.property.machine.commands import COMMANDS
from tests.property.machine.luck import Luck
from tests.property.machine.objects import CURRENCY
from tests.property.machine.steps import fall_due
from tests.schemas.samples import CARD

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from tests.property.machine.objects import Charge, Contested, GivenBack
    from tests.property.machine.provider import Provider
    from tests.property.machine.town import Errand, Town

PRICE_MINOR: Final = 1000
AMOUNT: Final = {"amount_minor": PRICE_MINOR, "currency": CURRENCY}
FINANCE: Final = {"id": "fay", "role": "finance"}
"""Who may refund anything."""
SUPPORT: Final = {"id": "ada", "role": "support"}
MANAGER: Final = {"id": "max", "role": "manager"}

# fmt: off
HOW: Final = {
    "yes":           0,
    "challenge":     2,
    "no":            3,
    "later":         4,
    "half":          5,
    "refund later":  6,
    "refund no":     1,
}
# fmt: on
"""How the provider answers -> the luck that lets it."""
UNAVAILABLE: Final = 6
"""The luck with which the gateway finds nobody."""


class Life:
    """Wherever the order comes to rest, everything that must be refused there is asked, and refused."""

    def __init__(self, town: Town, *, modest: bool = False) -> None:
        """A new order of the town's; a modest one asks nothing in vain by itself."""
        self.town = town
        self._modest = modest
        self.order_id = self.town.open(Luck(0), (PRICE_MINOR,))

    # ---- what there is

    @property
    def provider(self) -> Provider:
        """The town's."""
        return self.town.provider

    @property
    def charges(self) -> list[Charge]:
        """At the provider, in order."""
        return [one for one in self.provider.charges.values() if one.order_id == self.order_id]

    @property
    def refund(self) -> GivenBack:
        """The provider's last one."""
        return [one for one in self.provider.refunds.values() if one.charge.order_id == self.order_id][-1]

    @property
    def dispute(self) -> Contested:
        """The last one."""
        return list(self.provider.disputes_of(self.order_id))[-1]

    @property
    def _errands(self) -> list[Errand]:
        return [one for one in self.town.errands if one.call.order_id == self.order_id]

    @property
    def _errand(self) -> Errand:
        (errand,) = self._errands
        return errand

    # ---- what the shop asks, and how it is answered

    def ask(self, name: str, **data: Any) -> Self:
        """A command or fact, which is granted."""
        self.town.clock.tick()
        verdict = self.town.send(name, {"order_id": self.order_id} | data)
        assert verdict.outcome == "applied", (name, verdict)
        return self._look_around()

    def answered(self, how: str = "yes") -> Self:
        """The call under way is made and answered, and the provider's webhooks arrive."""
        return self.done(how).hear().deliver()

    def done(self, how: str = "yes") -> Self:
        """The provider does what it was asked, or does not; nobody has heard of it."""
        self.town.work(self._errand, Luck(8 * HOW[how]))
        return self

    def unavailable(self) -> Self:
        """The provider is away, and certainly did nothing."""
        self.town.work(self._errand, Luck(UNAVAILABLE))
        return self.hear()

    def hear(self) -> Self:
        """The answer arrives."""
        self.town.clock.tick()
        self.town.hear(self.order_id)
        return self._look_around()

    def deliver(self) -> Self:
        """The provider's webhooks arrive."""
        while self.provider.reports:
            self.town.clock.tick()
            self.town.deliver(self.provider.reports[0])
        return self._look_around()

    def time_out(self, kind: str) -> Self:
        """The last timer of this kind is due."""
        named = (self.order_id, kind)
        timer = [one for one in self.town.memory.timers if (one.order_id, one.kind) == named][-1]
        self.town.memory.timers.remove(timer)
        fall_due(self.town, timer)
        return self._look_around()

    def happens(self, act: Callable[..., None], *about: Any, **more: Any) -> Self:
        """Something happens at the provider, which tells us."""
        act(*about, **more)
        return self.deliver()

    # ---- the usual

    def request(self, method: Any = CARD, capture: str = "manual", *, confirm: bool = True) -> Self:
        """The order's payment."""
        asked = {"payment_method": method, "capture_method": capture, "confirm": confirm}
        return self.ask("payment_requested", amount=AMOUNT, **asked)

    def pay_otherwise(self, name: str = "payment_recorded") -> Self:
        """All of it was handed over, or will be."""
        return self.ask(name, amount=AMOUNT, collection="cash_on_delivery")

    def hold(self) -> Self:
        """All of it is held."""
        return self.request().answered()

    def sell(self) -> Self:
        """All of it is taken."""
        return self.request(capture="automatic").answered()

    def capture(self, amount_minor: int) -> Self:
        """A part is taken, and more may follow."""
        return self.ask("capture_requested", amount_minor=amount_minor, final=False).answered()

    def give_back(self, name: str, amount_minor: int, how: str = "yes") -> Self:
        """A part is refunded."""
        return self.ask_back(name, amount_minor).answered(how)

    def ask_back(self, name: str, amount_minor: int, actor: dict[str, str] = FINANCE) -> Self:
        """A part is to be refunded."""
        return self.ask("refund_requested", refund_id=name, amount_minor=amount_minor, actor=actor)

    def contest(self, amount_minor: int, *, inquiry: bool = False) -> Self:
        """The customer complains."""
        return self.happens(self.provider.dispute, self.charges[0], amount_minor, inquiry=inquiry)

    def end(self, status: str) -> Self:
        """The bank decides about the last dispute, or says how it stands."""
        return self.happens(self.provider.end_dispute, self.dispute, status)

    def about_dispute(self, name: str) -> Self:
        """The shop answers the last dispute."""
        return self.ask(name, dispute_reference=self.dispute.reference, actor=FINANCE)

    # ---- what must be refused

    def _look_around(self) -> Self:
        """Ask all that must be refused here; nothing, while an answer is awaited that could allow it."""
        waits = self._errands or self.town.results[self.order_id]
        return self if waits or self._modest else self.ask_in_vain()

    def ask_in_vain(self) -> Self:
        """Ask all that is not granted where the order's objects stand."""
        for kind in ("payment", "refund", "dispute"):
            for one in [one for one in self.town.memory.of(kind) if one.order_id == self.order_id][:1]:
                for command in COMMANDS:
                    if command.about == kind and one.state not in command.granted:
                        self.town.command(command, self.order_id, Luck(0))
        return self
