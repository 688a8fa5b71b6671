"""What customers and merchants do with wallets: every case as a row, and how often it comes in 20,000 events.

A wallet's commands have one key, so they are judged in order, and whether one is refused depends on those before it
alone. Some come in any tenant; those in which time matters, in a house with a test clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ops.demo.books.houses import HELPER, some_minor
from ops.demo.cases import DECIDED, EXPIRED, RETURNED, REVIEWED

if TYPE_CHECKING:
    from collections.abc import Callable

    from ops.demo.books.purse import Purse


@dataclass(frozen=True, slots=True)
class WalletCase:
    """`weight`: how many there are in PER_EVENTS events, at least one."""

    name: str
    weight: int
    play: Callable[[Purse], None]
    family: str = "customer"


def _funded(purse: Purse) -> int:
    """A wallet with some money in it; how much."""
    minor = some_minor(purse.random, purse.currency)
    purse.open()
    purse.credit(minor, purse.random.choice(("bank_transfer", "card")))
    return minor


def _saver(purse: Purse) -> None:
    minor = _funded(purse)
    purse.spend(minor // 3)
    purse.credit(minor // 2)
    purse.spend(minor // 5, "platform_service")


def _beyond(purse: Purse) -> None:
    """More than there is, then all that there is, then one unit more."""
    minor = _funded(purse)
    purse.spend(minor + 1)
    purse.spend(minor)
    purse.spend(1)


def _promoted(purse: Purse) -> None:
    """One purchase across two grants, goodwill and money, in that order; and one that leaves a little of each."""
    minor = _funded(purse)
    purse.credit(minor // 7, "goodwill")
    purse.grant("welcome", minor // 3)
    purse.grant("birthday", minor // 4, rank=50)
    purse.spend(minor // 4 + minor // 6)
    purse.spend(minor // 3 + minor // 7)
    purse.spend(purse.available_minor)


def _held(purse: Purse) -> None:
    minor = _funded(purse)
    purse.hold("ride", minor // 2)
    purse.spend(minor - minor // 2 + 1)
    purse.post("ride")
    purse.post("ride", refused="state_forbids")


def _partly(purse: Purse) -> None:
    """A part is posted, the rest is free again."""
    minor = _funded(purse)
    purse.hold("fuel", minor)
    purse.post("fuel", minor + 1, final=False, refused="amount_above_held")
    purse.post("fuel", minor // 3)
    purse.spend(minor // 3)


def _in_instalments(purse: Purse) -> None:
    minor = _funded(purse)
    purse.grant("welcome", minor // 5)
    purse.hold("tour", minor)
    purse.post("tour", minor // 4, final=False)
    purse.post("tour", minor // 4, final=False)
    purse.post("tour")


def _let_go(purse: Purse) -> None:
    minor = _funded(purse)
    purse.hold("table", minor // 2)
    purse.hold("table", 1, refused="hold_id_reused")
    purse.void("table")
    purse.void("table", refused="state_forbids")
    purse.post("nothing", refused="hold_unknown")
    purse.spend(minor)


def _still_held(purse: Purse) -> None:
    """At the end of the play, parts of holds are still reserved."""
    minor = _funded(purse)
    purse.hold("deposit", minor // 3)
    purse.hold("rent", minor // 3)
    purse.post("rent", minor // 9, final=False)
    purse.hold("more", minor)


def _overdrawn(purse: Purse) -> None:
    minor = _funded(purse)
    purse.limit(minor // 2, HELPER, refused="actor_not_allowed")
    purse.limit(minor // 2)
    purse.spend(minor + minor // 3)
    purse.limit(minor, refused="policy_version_exists")
    purse.hold("rest", minor // 2 - minor // 3 + 1)
    purse.limit(0)
    purse.spend(1)
    purse.credit(minor // 2)


def _too_early(purse: Purse) -> None:
    """The money is there before the wallet is, and waits for it."""
    minor = some_minor(purse.random, purse.currency)
    purse.credit(minor)
    purse.open()
    purse.spend(minor // 2)


def _twice(purse: Purse) -> None:
    minor = _funded(purse)
    purse.open(refused="wallet_exists")
    purse.grant("welcome", minor // 4)
    purse.grant("welcome", minor // 4, refused="grant_id_reused")
    purse.spend(minor // 4, "withdrawal", refused="way_unknown")


def _lived(purse: Purse) -> None:
    """Anything in any order; the account of our own says what must be refused."""
    random = purse.random
    minor = _funded(purse)
    for number in range(20):
        part = random.randrange(1, minor // 2)
        match random.randrange(5):
            case 0:
                purse.credit(part, random.choice(("bank_transfer", "card", "goodwill")))
            case 1:
                purse.grant(f"grant-{number}", part, rank=random.choice((50, 100, 100, 250, 400)))
            case 2 | 3:
                purse.spend(2 * part, random.choice(("purchase", "platform_service")))
            case _:
                _lived_hold(purse, f"hold-{number}", part)


def _lived_hold(purse: Purse, hold_id: str, minor: int) -> None:
    """A hold, if there is enough, and what becomes of it."""
    enough = minor <= purse.available_minor
    purse.hold(hold_id, minor)
    if not enough:
        purse.void(hold_id, refused="hold_unknown")
    elif purse.random.random() < 0.5:  # noqa: PLR2004 - every other one
        purse.post(hold_id, purse.random.randint(1, minor), final=purse.random.random() < 0.5)  # noqa: PLR2004


def _unused(purse: Purse) -> None:
    """A promotion ends while nothing, or something, or all of it is spent."""
    minor = _funded(purse)
    purse.grant("spring", minor // 4, EXPIRED)
    purse.grant("autumn", minor // 4)
    purse.spend(minor // 4 - purse.random.randrange(minor // 4))
    purse.on(EXPIRED)
    purse.spend(purse.available_minor + 1)


def _given_up(purse: Purse) -> None:
    """A hold ends by itself."""
    minor = _funded(purse)
    purse.hold("room", minor, EXPIRED)
    purse.spend(1)
    purse.on(EXPIRED)
    purse.post("room", refused="state_forbids")
    purse.spend(minor)


def _kept_beyond(purse: Purse) -> None:
    """A hold keeps what has expired: a part is spent, the rest expires when the hold ends."""
    minor = _funded(purse)
    purse.grant("spring", minor // 2, EXPIRED)
    purse.hold("trip", minor, RETURNED)
    purse.on(EXPIRED)
    purse.post("trip", minor // 4, final=False)
    purse.on(RETURNED)


def _reviewed(purse: Purse) -> None:
    """Over several days, in which a grant ends between two purchases."""
    minor = _funded(purse)
    purse.grant("weekend", minor // 3, REVIEWED)
    purse.on(DECIDED)
    purse.spend(minor // 6)
    purse.on(REVIEWED)
    purse.spend(minor)


def _merchant(purse: Purse) -> None:
    minor = some_minor(purse.random, purse.currency, 100, 9_000)
    purse.open()
    purse.credit(minor, "merchant_transfer")
    purse.spend(minor // 2, "withdrawal")
    purse.spend(minor, "withdrawal")
    purse.limit(minor // 4)
    purse.spend(minor - minor // 2 + minor // 4, "withdrawal")
    purse.spend(1, "withdrawal")


ANYWHERE: Final = (
    WalletCase("saver", 60, _saver),
    WalletCase("beyond", 25, _beyond),
    WalletCase("promoted", 25, _promoted),
    WalletCase("held", 25, _held),
    WalletCase("partly", 12, _partly),
    WalletCase("in-instalments", 10, _in_instalments),
    WalletCase("let-go", 8, _let_go),
    WalletCase("still-held", 6, _still_held),
    WalletCase("overdrawn", 8, _overdrawn),
    WalletCase("too-early", 6, _too_early),
    WalletCase("twice", 4, _twice),
    WalletCase("lived", 12, _lived),
)
IN_A_HOUSE: Final = (
    WalletCase("unused", 12, _unused),
    WalletCase("given-up", 8, _given_up),
    WalletCase("kept-beyond", 6, _kept_beyond),
    WalletCase("reviewed", 6, _reviewed),
    WalletCase("merchant", 8, _merchant, "merchant"),
)
