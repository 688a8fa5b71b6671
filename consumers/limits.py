"""Limits while a batch is decided: the wallets that its entries take from are locked, and move along with it.

Which these are is known when the entries are: a refund does not say that its merchant has a limit. So a batch whose
entries take from a wallet that it has not locked is given up before it writes anything, and taken in again with it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from db.queries import wallets as sql
from handlers.decision import Waiting
from handlers.wallets.limits import beyond, covered, moves_of, refusal, takes, wallet_of
from handlers.wallets.model import Wallet
from schemas.reasons import Reason

if TYPE_CHECKING:
    from consumers.world import World
    from db.connection import Connection
    from handlers.decision import Decision, Outcome
    from handlers.needs import Key


class UnforeseenError(Exception):
    """Entries of the batch take from wallets that it has not locked; it is to be taken in again, with these."""

    def __init__(self, wallets: set[Key]) -> None:
        self.wallets = wallets
        super().__init__(f"entries take from {len(wallets)} more wallet(s)")


def keep(world: World, tenant: str, decision: Decision, *, fact: bool) -> Outcome:
    """The decision as it may be booked, or why it may not be, or not yet; the wallets that are known move by it."""
    known = world.states["wallet"]
    if not decision.postings or not (known or takes(decision.postings)):
        return decision
    moves = moves_of(decision.postings)
    lowered = sorted({wallet_of(account) for account, minor in moves.items() if minor < 0})
    world.unforeseen.update((tenant, name) for name in lowered if (tenant, name) not in known)
    # What a wallet's own rule decides keeps its limits, and has moved it.
    own = {state.name for state in decision.states if isinstance(state, Wallet)}
    names = {wallet_of(account) for account in moves} - own
    wallets: dict[str, Wallet] = {name: known[tenant, name] for name in names if (tenant, name) in known}
    for name in lowered:
        if name in wallets and not wallets[name].is_read:
            detail = f"wallet {name} is being opened"
            return Waiting(Reason.WALLET_UNKNOWN, detail, "wallet", (tenant, name))
    excess = beyond(moves, wallets)
    if excess and not fact:
        return refusal(excess, moves, wallets)
    if excess:
        decision = replace(decision, postings=covered(decision.postings, excess))
        moves = moves_of(decision.postings)
    for name, wallet in wallets.items():
        if wallet.is_read:
            moved = {account[:2]: minor for account, minor in moves.items() if wallet_of(account) == name}
            known[tenant, name] = wallet.moved(moved, {})
    return decision


async def foresee(connection: Connection, world: World) -> None:
    """Raise UnforeseenError when there are such wallets; the accounts that entries take from are mostly of none."""
    if not world.unforeseen:
        return
    tenants, names = zip(*sorted(world.unforeseen), strict=True)
    rows = await sql.open_wallets(connection, tenants=tenants, names=names)
    if rows:
        raise UnforeseenError({(row["tenant"], row["name"]) for row in rows})
