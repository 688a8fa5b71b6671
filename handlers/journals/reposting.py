"""An entry booked anew by a posting rule as it stands today: what should have been posted, without naming the legs.

Amounts and owners that the old entry shows on the same side of the same account need not be told again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.decision import Rejection
from handlers.ledger.rules import UnbalancedPostingError, post
from handlers.rulebook import RULEBOOK
from schemas.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from handlers.journals.model import BookedLine
    from handlers.ledger.model import PostingRule
    from schemas.journal import RepostData
    from schemas.ledger import Leg


def reposting(
    entry: Sequence[BookedLine], data: RepostData
) -> tuple[tuple[Leg, ...], dict[str, str]] | Rejection:
    """The legs that `entry` should have had, and the terms that the journal keeps; or what is missing or unknown."""
    rule = RULEBOOK.get(data.rule)
    if rule is None:
        return Rejection(
            Reason.RULE_UNKNOWN, f"repost.rule {data.rule}; there are {', '.join(sorted(RULEBOOK))}"
        )
    currencies = {line.currency for line in entry}
    if len(currencies) > 1:
        detail = f"repost: the entry is in {' and '.join(sorted(currencies))}, and a rule books one currency"
        return Rejection(Reason.CURRENCIES_MIXED, detail)
    shown_owners, shown_minor = _shown(rule, entry)
    owners, amounts = shown_owners | dict(data.owners), shown_minor | dict(data.amounts_minor)
    refused = _unfit("owners", owners, (leg.owner for leg in rule.legs), rule) or _unfit(
        "amounts_minor", amounts, (leg.amount for leg in rule.legs), rule
    )
    if refused is not None:
        return refused
    try:
        posting = post(
            rule,
            object_type=entry[0].object_type,
            object_id=entry[0].object_id,
            currency=entry[0].currency,
            effective_at=entry[0].effective_at,
            owners=owners,
            amounts=amounts,
        )
    except UnbalancedPostingError as error:
        return Rejection(Reason.JOURNAL_UNBALANCED, f"repost.amounts_minor: {error}")
    terms = {f"amount {name}": str(minor) for name, minor in amounts.items()}
    return posting.legs, {
        "rule": rule.name,
        **terms,
        **{f"owner {name}": who for name, who in owners.items()},
    }


def _shown(rule: PostingRule, entry: Iterable[BookedLine]) -> tuple[dict[str, str], dict[str, int]]:
    """Owners and amounts, by the names that the rule has for them, as far as the old entry shows them."""
    lines = {(line.side, line.account): line for line in entry}
    owners: dict[str, str] = {}
    amounts: dict[str, int] = {}
    for leg in rule.legs:
        line = lines.get((leg.side, leg.code))
        if line is not None:
            owners[leg.owner] = line.owner
            amounts[leg.amount] = line.amount_minor
    return owners, amounts


def _unfit(
    field: str, told: Mapping[str, object], known: Iterable[str], rule: PostingRule
) -> Rejection | None:
    names = dict.fromkeys(known)
    missing, more = names.keys() - told.keys(), told.keys() - names.keys()
    if not missing and not more:
        return None
    wrong = f"needs {', '.join(sorted(missing))}" if missing else f"does not know {', '.join(sorted(more))}"
    return Rejection(Reason.RULE_UNFILLED, f"repost.{field}: {rule.name} {wrong}; it has {', '.join(names)}")
