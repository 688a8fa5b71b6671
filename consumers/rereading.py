"""Entries that a batch has decided on, as a reversal in the same batch finds them in the books."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.journals.model import BookedLine

if TYPE_CHECKING:
    from consumers.world import World
    from db.writes import Writes


def show(world: World, writes: Writes, since: int) -> None:
    """Add the entries of `writes` from place `since` on to what is booked for their objects, where somebody asks.

    They have no number yet: the n-th entry of a batch stands as -n, until `Writes.flush` numbers them.
    """
    booked = world.states["booked"]
    for place, entry in enumerate(writes.entries[since:], since + 1):
        posting = entry.posting
        key = (entry.cause.tenant, posting.object_id)
        if key not in world.reread:
            continue
        before: tuple[BookedLine, ...] = booked.get(key, ())
        number = 1 + max((line.number for line in before), default=0)
        booked[key] = before + tuple(
            BookedLine(
                *key,
                number,
                line,
                -place,
                posting.object_type,
                posting.effective_at,
                leg.side,
                leg.account,
                leg.owner,
                leg.amount_minor,
                leg.currency,
            )
            for line, leg in enumerate(posting.legs, 1)
        )
