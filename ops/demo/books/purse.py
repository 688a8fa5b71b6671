"""A wallet of the programme: what is asked of it, and an account of its own of what must be in it.

The rules that it goes by are those of docs/accounts.md, told once more in as few words as possible: what expires
first is spent first, then credit, then money, then an overdraft; what is held is as good as spent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ops.demo.books.houses import FOR_GOOD, MANAGER, NOON, PROGRAM, at, leg
from ops.demo.books.script import Holding

if TYPE_CHECKING:
    from datetime import datetime
    from random import Random

    from ops.demo.books.houses import Actor
    from ops.demo.books.script import Script
    from ops.demo.merchants import Market

IN: Final = {
    "bank_transfer": ("prepaid_balance", "bank_clearing", "house-bank"),
    "card": ("prepaid_balance", "processor_receivable", "acquirer"),
    "goodwill": ("customer_credit", "goodwill_expense", None),
    "merchant_transfer": ("merchant_payable", "bank_clearing", "house-bank"),
}
"""Way -> the wallet's account, the account on the other side, and whose that is: None for the tenant itself."""
OUT: Final = {
    "purchase": ("merchant_payable", "corner-shop"),
    "platform_service": ("platform_fee_revenue", None),
    "withdrawal": ("bank_clearing", "house-bank"),
}
"""Way -> the account on the other side, and whose that is."""
LIMITED: Final = {"customer": "prepaid_balance", "merchant": "merchant_payable"}
"""Family -> the account that may be overdrawn, which is spent last."""


@dataclass(slots=True)
class Pot:
    """An account of the wallet; the lowest `rank` is spent first. Expires on day `until`, unless somebody spends it."""

    account: str
    owner: str
    rank: int
    until: int = FOR_GOOD
    posted_minor: int = 0
    held_minor: int = 0
    overdraft_minor: int = 0

    @property
    def free_minor(self) -> int:
        """Neither spent nor held."""
        return self.posted_minor - self.held_minor

    @property
    def coins(self) -> tuple[int, int]:
        """What is there to be spent, and by how much more it may be overdrawn."""
        return max(self.free_minor, 0), max(self.overdraft_minor + min(self.free_minor, 0), 0)


@dataclass(slots=True)
class Kept:
    """A hold: of which pots it keeps how much."""

    shares: list[tuple[Pot, int]]
    until: int
    state: str = "placed"
    posted_minor: int = 0

    @property
    def minor(self) -> int:
        """What it keeps in all."""
        return sum(minor for _, minor in self.shares)


class Purse:
    """One wallet. Every method is a command, of which it knows by its own account whether it must be refused."""

    def __init__(
        self, script: Script, random: Random, market: Market, name: str, family: str = "customer"
    ) -> None:
        self.script = script
        self.random = random
        self.market = market
        self.name = name
        self.family = family
        self.currency = random.choice(market.currencies)
        self._day = 0
        self._holds: dict[str, Kept] = {}
        self._limits = 0
        last = Pot(LIMITED[family], name, 300)
        self._pots = [last] if family == "merchant" else [Pot("customer_credit", name, 200), last]

    @property
    def key(self) -> str:
        """The name of the wallet."""
        return f"{self.family}/{self.name}/{self.currency}"

    @property
    def available_minor(self) -> int:
        """What can be spent or held."""
        return sum(sum(pot.coins) for pot in self._pots if self._day < pot.until)

    def on(self, day: int) -> None:
        """A later day: what has expired by then is gone, first what was held."""
        self._day = day
        for hold in self._holds.values():
            if day >= hold.until and hold.state in {"placed", "partly_posted"}:
                hold.state = "expired"
                self._free(hold)
        self._expire()

    def end(self) -> None:
        """Write down what there must be in the end, on a day on which all that can expire here has."""
        self.on(FOR_GOOD - 1)
        expected, tenant = self.script.expected, self.market.tenant
        expected.wallets[tenant, self.key] = Holding(
            sum(pot.posted_minor for pot in self._pots),
            sum(pot.held_minor for pot in self._pots),
            self.available_minor,
        )
        for hold_id, hold in self._holds.items():
            expected.holds[tenant, self.key, hold_id] = hold.state, hold.posted_minor

    def open(self, *, refused: str | None = None) -> None:
        """Open the wallet."""
        self._say("wallet_opened", {}, PROGRAM, refused)

    def limit(self, overdraft_minor: int, who: Actor = MANAGER, *, refused: str | None = None) -> None:
        """Let the last account be overdrawn by so much; what is refused had the version of the last limit."""
        self._limits += refused is None
        account = LIMITED[self.family]
        data = {"version": max(self._limits, 1), "account": account, "overdraft_minor": overdraft_minor}
        self._say("wallet_limit_set", data, who, refused)
        if refused is None:
            self._pots[-1].overdraft_minor = overdraft_minor

    def credit(self, minor: int, way: str = "bank_transfer", happened_at: datetime | None = None) -> None:
        """Money or goodwill comes in."""
        account, other, owner = IN[way]
        source = owner or self.market.tenant
        who = MANAGER if way == "goodwill" else PROGRAM
        data = {"way": way, "source": source, "amount_minor": minor}
        self._say("wallet_credited", data, who, None, happened_at)
        pot = next(pot for pot in self._pots if pot.account == account)
        pot.posted_minor += minor
        self._book(("debit", other, source, minor), ("credit", pot.account, pot.owner, minor))

    def grant(
        self, grant_id: str, minor: int, until: int = FOR_GOOD, rank: int = 100, *, refused: str | None = None
    ) -> None:
        """Promotional credit, until a day's noon."""
        data = {"grant_id": grant_id, "amount_minor": minor, "priority": rank}
        expires = {"expires_at": at(until, NOON).isoformat()}
        self._say("promotion_granted", data | expires, PROGRAM, refused)
        if refused is None:
            pot = Pot("promotional_credit", f"{self.name}/{grant_id}", rank, until, minor)
            self._pots.insert(0, pot)
            self._book(*self._given(pot, minor))

    def spend(self, minor: int, way: str = "purchase", *, refused: str | None = None) -> None:
        """Spend at once; too much is refused, and so is what `refused` names."""
        shares = self._shares(minor)
        other, owner = OUT[way]
        payee = owner or self.market.tenant
        reason = refused or (None if shares is not None else "limit_reached")
        data = {"way": way, "payee": payee, "amount_minor": minor}
        self._say("wallet_spent", data, PROGRAM, reason)
        if reason is None:
            self._spend(shares or [], other, payee)

    def hold(self, hold_id: str, minor: int, until: int = FOR_GOOD, *, refused: str | None = None) -> None:
        """Reserve an amount, until a day's noon; too much is refused."""
        shares = self._shares(minor)
        reason = refused or (None if shares is not None else "limit_reached")
        data = {"hold_id": hold_id, "amount_minor": minor, "expires_at": at(until, NOON).isoformat()}
        self._say("hold_placed", data, PROGRAM, reason)
        if reason is None:
            self._holds[hold_id] = Kept(shares or [], until)
            for pot, share in shares or []:
                pot.held_minor += share

    def post(
        self, hold_id: str, minor: int | None = None, *, final: bool = True, refused: str | None = None
    ) -> None:
        """Spend what a hold keeps, all of it or a part; unless it is final, the rest stays held."""
        payee = str(OUT["purchase"][1])
        data: dict[str, Any] = {"hold_id": hold_id, "way": "purchase", "payee": payee, "final": final}
        self._say("hold_posted", data | ({} if minor is None else {"amount_minor": minor}), PROGRAM, refused)
        if refused is not None:
            return
        hold = self._holds[hold_id]
        left = hold.minor if minor is None else minor
        final = final or left == hold.minor
        shares, rest = [], []
        for pot, kept in hold.shares:
            taken = min(kept, left)
            left -= taken
            pot.held_minor -= taken
            shares.append((pot, taken))
            rest.append((pot, kept - taken))
            hold.posted_minor += taken
        hold.shares = rest
        hold.state = "posted" if final else "partly_posted"
        self._spend(shares, OUT["purchase"][0], payee)
        if final:
            self._free(hold)
            self._expire()

    def void(self, hold_id: str, *, refused: str | None = None) -> None:
        """Let go what a hold keeps."""
        self._say("hold_voided", {"hold_id": hold_id}, PROGRAM, refused)
        if refused is None:
            hold = self._holds[hold_id]
            hold.state = "voided"
            self._free(hold)
            self._expire()

    def _shares(self, minor: int) -> list[tuple[Pot, int]] | None:
        """From which pots so much is taken; None when it is not there."""
        order = sorted(
            (pot for pot in self._pots if self._day < pot.until),
            key=lambda pot: (pot.rank, pot.until, pot.owner),
        )
        shares = []
        for coin in (0, 1):
            for pot in order:
                taken = min(pot.coins[coin], minor)
                minor -= taken
                shares.append((pot, taken))
        return None if minor else shares

    def _spend(self, shares: list[tuple[Pot, int]], other: str, payee: str) -> None:
        for pot, minor in shares:
            pot.posted_minor -= minor
            self._book(("debit", pot.account, pot.owner, minor), ("credit", other, payee, minor))

    def _free(self, hold: Kept) -> None:
        for pot, minor in hold.shares:
            pot.held_minor -= minor
        hold.shares = []

    def _expire(self) -> None:
        """Promotional credit that is over and that no hold keeps goes back to where it came from."""
        for pot in self._pots:
            if self._day >= pot.until and pot.free_minor:
                minor = pot.free_minor
                pot.posted_minor -= minor
                self._book(*self._given(pot, -minor))

    def _given(self, pot: Pot, minor: int) -> list[tuple[str, str, str, int]]:
        tenant = self.market.tenant
        return [
            ("debit", "promotion_expense", tenant, minor),
            ("credit", pot.account, pot.owner, minor),
        ]

    def _book(self, *legs: tuple[str, str, str, int]) -> None:
        self.script.book(self.market, [leg(*one, self.currency) for one in legs])

    def _say(
        self,
        name: str,
        data: dict[str, Any],
        who: Actor,
        refused: str | None = None,
        happened_at: datetime | None = None,
    ) -> None:
        of = {"family": self.family, "owner_id": self.name, "currency": self.currency, "actor": who}
        self.script.say(self._day, self.market, self.key, name, of | data, refused, happened_at)
