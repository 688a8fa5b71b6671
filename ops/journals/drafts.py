"""A journal before it is proposed: whether it could be posted, and its legs when it is a conversion."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

import orjson

from handlers.decision import Rejection
from handlers.journals.legs import converting, currencies_of, not_balanced, sums_of
from handlers.journals.policy import may_post_to
from handlers.ledger.model import CREDIT, DEBIT
from ops.inspect.words import amount
from schemas.journal import ConversionProposedData

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from schemas.journal import LegData
    from schemas.ledger import Leg


class DraftError(Exception):
    """It could not be posted like that; the message says why."""


def balanced(legs: Sequence[LegData | Leg]) -> None:
    """Raise DraftError unless the legs can be one entry, in words for the person who wrote them."""
    sums = sums_of(legs)
    refused = not_balanced(sums, len(legs))
    if refused is None:
        return
    told = []
    for currency in currencies_of(sums):
        debit, credit = (sums.get(f"{currency}/{side}", 0) for side in (DEBIT, CREDIT))
        if debit != credit:
            more, off = ("debits" if debit > credit else "credits"), amount(abs(debit - credit), currency)
            told.append(
                f"debits of {amount(debit, currency)}, credits of {amount(credit, currency)}: {off} more {more}"
            )
    raise DraftError("it does not balance: " + "; ".join(told) if told else refused.detail)


def digest_of(*content: Any) -> str:
    """Names content: the same gives the same."""
    return sha256(orjson.dumps(content)).hexdigest()[:16]


def conversion_legs(tenant: str, data: Mapping[str, Any]) -> tuple[tuple[Leg, ...], dict[str, str]]:
    """The legs of a conversion and its terms, as the rule will find them.

    Raises:
        ValidationError: `data` breaks the contract.
        DraftError: the rate does not fit what arrived, or an account takes no such journal.
    """
    asked = ConversionProposedData.model_validate_json(orjson.dumps(data))
    places = (asked.sold_from.account, asked.bought_into.account)
    found = may_post_to(places, asked.actor) or converting(tenant, asked)
    if isinstance(found, Rejection):
        raise DraftError(found.detail)
    if asked.sold.currency == asked.currency:
        raise DraftError(f"{asked.currency} is sold for itself")
    return found
