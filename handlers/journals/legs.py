"""Legs of journals: sums, balance, and the legs of reversals and conversions."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from handlers.decision import Rejection
from handlers.journals.model import JournalLine
from handlers.journals.policy import MAX_DIFFERENCE_MINOR
from handlers.ledger.model import CHART, CREDIT, DEBIT, Code
from schemas.currencies import MINOR_DIGITS
from schemas.journal import MAX_LEGS
from schemas.ledger import Leg
from schemas.money import MAX_AMOUNT_MINOR, round_minor
from schemas.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from uuid import UUID

    from handlers.journals.model import BookedLine
    from schemas.journal import ConversionProposedData, LegData, ReversedLineData
    from schemas.ledger import Side

MAX_SUM_MINOR: Final = 1_000 * MAX_AMOUNT_MINOR
"""Of one side of one currency; far within PostgreSQL's bigint, which has to hold the sums of many."""


def other(side: str) -> Side:
    """The other side."""
    return CREDIT if side == DEBIT else DEBIT


def sums_of(
    legs: Iterable[Leg | JournalLine | LegData], before: Mapping[str, int] | None = None
) -> dict[str, int]:
    """Sums by currency and side, and the number of trading legs by currency, added to those before."""
    sums = Counter(before or {})
    for leg in legs:
        sums[f"{leg.currency}/{leg.side}"] += leg.amount_minor
        if leg.account == Code.TRADING:
            sums[f"{leg.currency}/trading"] += 1
    return dict(sorted(sums.items()))


def currencies_of(sums: Mapping[str, int]) -> list[str]:
    """The currencies that are summed."""
    return sorted({name.split("/")[0] for name in sums})


def debits_of(sums: Mapping[str, int]) -> dict[str, int]:
    """The sum of the debits by currency; of a balanced journal, what it moves."""
    return {currency: sums.get(f"{currency}/{DEBIT}", 0) for currency in currencies_of(sums)}


def not_balanced(sums: Mapping[str, int], legs: int, *, traded: bool = True) -> Rejection | None:
    """Why these legs cannot be an entry; None when they can. `traded`: several currencies must meet in trading."""
    if not 2 <= legs <= MAX_LEGS:  # noqa: PLR2004 - a debit and a credit
        return Rejection(Reason.JOURNAL_UNBALANCED, f"legs: {legs}, from 2 to {MAX_LEGS} make a journal")
    currencies = currencies_of(sums)
    for currency in currencies:
        debit, credit = (sums.get(f"{currency}/{side}", 0) for side in (DEBIT, CREDIT))
        if debit != credit:
            detail = f"legs: debits of {currency} are {debit}, credits {credit}"
            return Rejection(Reason.JOURNAL_UNBALANCED, detail)
        if debit > MAX_SUM_MINOR:
            return Rejection(Reason.JOURNAL_UNBALANCED, f"legs: {debit} {currency} is above {MAX_SUM_MINOR}")
        if traded and len(currencies) > 1 and not sums.get(f"{currency}/trading"):
            detail = (
                f"legs: {' and '.join(currencies)} must meet in {Code.TRADING} of each; {currency} does not"
            )
            return Rejection(Reason.CURRENCIES_MIXED, detail)
    return None


def numbered(
    tenant: str, object_id: UUID, legs: Iterable[Leg | LegData], first: int = 1
) -> tuple[JournalLine, ...]:
    """Legs as a journal's lines."""
    return tuple(
        JournalLine(
            tenant, object_id, line, leg.side, leg.account, leg.owner, leg.amount_minor, leg.currency, None
        )
        for line, leg in enumerate(legs, first)
    )


def legs_of(lines: Iterable[JournalLine]) -> tuple[Leg, ...]:
    """A journal's lines as legs of a posting."""
    return tuple(Leg(line.side, line.account, line.owner, line.amount_minor, line.currency) for line in lines)  # type: ignore[arg-type]  # a side, as the schema let it in


def left_of(lines: Iterable[BookedLine], reversed_minor: Mapping[str, int]) -> dict[int, int]:
    """What may still be reversed of each line of an entry."""
    return {line.line: line.amount_minor - reversed_minor.get(str(line.line), 0) for line in lines}


def reversing(
    object_id: UUID,
    booked: Sequence[BookedLine],
    reversed_minor: Mapping[str, int],
    asked: Sequence[ReversedLineData] | None,
) -> tuple[JournalLine, ...] | Rejection:
    """The lines that take back what is asked for, or all that is left."""
    left = left_of(booked, reversed_minor)
    wanted = {line: minor for line, minor in left.items() if minor} if asked is None else {}
    for line in asked or ():
        if line.line in wanted:
            return Rejection(Reason.INVALID_MESSAGE, f"lines: line {line.line} is there twice")
        wanted[line.line] = line.amount_minor
    refused = above_left(left, wanted)
    if refused is not None:
        return refused
    return tuple(
        JournalLine(
            line.tenant,
            object_id,
            place,
            other(line.side),
            line.account,
            line.owner,
            wanted[line.line],
            line.currency,
            line.line,
        )
        for place, line in enumerate((line for line in booked if line.line in wanted), 1)
    )


def above_left(left: Mapping[int, int], wanted: Mapping[int, int]) -> Rejection | None:
    """Why so much of these lines cannot be reversed; None when it can."""
    if not wanted:
        return Rejection(Reason.ALREADY_REVERSED, "entry: nothing of it is left to reverse")
    for line, minor in wanted.items():
        if line not in left:
            return Rejection(Reason.ENTRY_UNKNOWN, f"lines: the entry has no line {line}")
        if minor > left[line]:
            detail = f"lines: {minor} of line {line} is above what is left of it, {left[line]}"
            return Rejection(Reason.ALREADY_REVERSED, detail)
    return None


def converting(
    tenant: str, data: ConversionProposedData
) -> tuple[tuple[Leg, ...], dict[str, str]] | Rejection:
    """The legs of a conversion, and its terms as they are kept; the difference that rounding makes is a leg of its own.

    `sold_from` grows less, and what leaves one trading account arrives in the other currency's.
    """
    sold, bought = data.sold, data.currency
    shift = MINOR_DIGITS[bought] - MINOR_DIGITS[sold.currency]
    exact = (Decimal(sold.amount_minor) * data.exact_rate).scaleb(shift)
    by_rate = round_minor(exact, data.rounding)
    arrived = by_rate if data.bought_minor is None else data.bought_minor
    difference = arrived - by_rate
    if abs(difference) > MAX_DIFFERENCE_MINOR:
        detail = (
            f"bought_minor {arrived} differs from {exact} by the rate by more than {MAX_DIFFERENCE_MINOR}"
        )
        return Rejection(Reason.RATE_MISMATCH, detail)
    if not 0 < by_rate <= MAX_AMOUNT_MINOR or arrived > MAX_AMOUNT_MINOR:
        return Rejection(
            Reason.RATE_MISMATCH, f"rate: {sold.amount_minor} {sold.currency} make {exact} {bought}"
        )
    out = other(CHART[Code(data.sold_from.account)].type.normal_side)
    pair = f"{sold.currency}/{bought}"
    legs = [
        Leg(out, data.sold_from.account, data.sold_from.owner, sold.amount_minor, sold.currency),
        Leg(other(out), Code.TRADING, pair, sold.amount_minor, sold.currency),
        Leg(out, Code.TRADING, pair, by_rate, bought),
        Leg(other(out), data.bought_into.account, data.bought_into.owner, arrived, bought),
    ]
    if difference:
        side = out if difference > 0 else other(out)
        legs.append(Leg(side, Code.ROUNDING_DIFFERENCE, tenant, abs(difference), bought))
    terms = {
        "rate": data.rate,
        "rate_source": data.rate_source,
        "rate_at": data.rate_at.isoformat(),
        "rounding": data.rounding.value,
        "exact_minor": str(exact),
        "by_rate_minor": str(by_rate),
        "difference_minor": str(difference),
    }
    return tuple(legs), terms
