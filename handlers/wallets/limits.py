"""Whether entries keep the limits of wallets: those that no wallet's own rule makes, as of journals and refunds.

A command that would take more than there is gets refused. A fact cannot be: a bank that takes a chargeback asks for no
permission. What it takes beyond the limit is booked as owed by the account's owner, and the limit holds all the same.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from handlers.decision import Rejection
from handlers.ledger.model import CHART, CREDIT, DEBIT, Code
from handlers.rulebook import RULEBOOK
from handlers.wallets.families import FAMILIES, PROMOTED
from schemas.ledger import Leg
from schemas.reasons import Reason
from schemas.wallet import wallet_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from handlers.ledger.model import Posting
    from handlers.wallets.model import Bucket, Wallet
    from schemas.ledger import Side

AccountName = tuple[str, str, str]
"""(account code, owner, currency), of one tenant."""

_FAMILY_OF: Final[dict[str, str]] = {
    **{plan.code: family for family, plans in FAMILIES.items() for plan in plans},
    Code.PROMOTIONAL_CREDIT: next(iter(PROMOTED)),
}
"""Account code -> the family whose wallets have such an account; there is one at most."""
_LOWERED_BY: Final[dict[str, Side]] = {
    code: CREDIT if CHART[Code(code)].type.normal_side == DEBIT else DEBIT for code in _FAMILY_OF
}
"""Account code -> the side of a leg that takes from it."""

_GIVING: Final = frozenset(
    rule.name
    for rule in RULEBOOK.values()
    if not any(_LOWERED_BY.get(leg.code) == leg.side for leg in rule.legs)
)
"""Rules that take from no such account, whatever they book: those of sales, which most entries are."""


def takes(postings: Iterable[Posting]) -> bool:
    """Whether these entries take from any account that may be of a wallet."""
    return any(
        _LOWERED_BY.get(leg.account) == leg.side
        for posting in postings
        if posting.rule not in _GIVING
        for leg in posting.legs
    )


def moves_of(postings: Iterable[Posting]) -> dict[AccountName, int]:
    """By how much these entries, together, raise the accounts that may be of a wallet; below zero they lower them."""
    moves: Counter[AccountName] = Counter()
    for posting in postings:
        for leg in posting.legs:
            lowered_by = _LOWERED_BY.get(leg.account)
            if lowered_by is not None:
                minor = -leg.amount_minor if leg.side == lowered_by else leg.amount_minor
                moves[str(leg.account), leg.owner, leg.currency] += minor
    return dict(moves)


def wallet_of(account: AccountName) -> str:
    """The name of the wallet that the account is of, if it was ever opened."""
    code, owner, currency = account
    owner_id, _, _ = owner.partition("/") if code == Code.PROMOTIONAL_CREDIT else (owner, "", "")
    return wallet_name(_FAMILY_OF[code], owner_id, currency)


def beyond(moves: Mapping[AccountName, int], wallets: Mapping[str, Wallet]) -> dict[AccountName, int]:
    """By how much each account would be lowered below its limit, or farther below it when that was narrowed.

    `wallets` are by their names; accounts of others, and of those whose balances nobody has read yet, are not judged.
    """
    excess = {}
    for account, move_minor in sorted(moves.items()):
        wallet = wallets.get(wallet_of(account))
        if move_minor < 0 and wallet is not None and wallet.is_read:
            over_minor = -move_minor - _room_minor(_bucket(wallet, account))
            if over_minor > 0:
                excess[account] = min(over_minor, -move_minor)
    return excess


def refusal(
    excess: Mapping[AccountName, int], moves: Mapping[AccountName, int], wallets: Mapping[str, Wallet]
) -> Rejection:
    """Why a command may not be booked, told of the first account: what it is, its limit, and what is available."""
    account = next(iter(excess))
    code, owner, currency = account
    bucket = _bucket(wallets[wallet_of(account)], account)
    posted_minor, held_minor, overdraft_minor = (
        (bucket.posted_minor or 0, bucket.held_minor, bucket.overdraft_minor) if bucket else (0, 0, 0)
    )
    detail = (
        f"{-moves[account]} is above what account {code} of {owner} in {currency} has available, "
        f"{max(_room_minor(bucket), 0)}: {posted_minor} posted, {held_minor} held, overdraft limit {overdraft_minor}"
    )
    return Rejection(Reason.LIMIT_REACHED, detail)


def covered(postings: Sequence[Posting], excess: Mapping[AccountName, int]) -> tuple[Posting, ...]:
    """The entries of a fact, with what is in excess booked as owed by the account's owner."""
    left = dict(excess)
    return tuple(replace(posting, legs=tuple(_legs(posting.legs, left))) for posting in postings)


def _legs(legs: Iterable[Leg], left: dict[AccountName, int]) -> Iterator[Leg]:
    for leg in legs:
        account = (str(leg.account), leg.owner, leg.currency)
        owed_minor = min(left.get(account, 0), leg.amount_minor)
        if not owed_minor or leg.side != _LOWERED_BY[leg.account]:
            yield leg
            continue
        left[account] -= owed_minor
        if leg.amount_minor > owed_minor:
            yield replace(leg, amount_minor=leg.amount_minor - owed_minor)
        yield Leg(leg.side, Code.LIMIT_SHORTFALL, leg.owner, owed_minor, leg.currency)


def _bucket(wallet: Wallet, account: AccountName) -> Bucket | None:
    """None for a grant that is used up, of which nothing is left."""
    return next((bucket for bucket in wallet.buckets if bucket.name == account[:2]), None)


def _room_minor(bucket: Bucket | None) -> int:
    """What may still be taken, whether it has expired or not."""
    return bucket.free_minor + bucket.overdraft_minor if bucket else 0
