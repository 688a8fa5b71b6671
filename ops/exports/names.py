"""Names of ours in the alphabets of others. Different names stay different, and each can be read back.

Beancount's account components begin with a capital or a digit and go on with letters, digits and hyphens
(https://beancount.github.io/docs/beancount_language_syntax.html#accounts); hledger takes those too.
"""

from __future__ import annotations

import re
from typing import Final

from handlers.ledger.model import AccountType

ROOTS: Final[dict[AccountType, str]] = {
    AccountType.ASSET: "Assets",
    AccountType.LIABILITY: "Liabilities",
    AccountType.EQUITY: "Equity",
    AccountType.REVENUE: "Income",
    AccountType.EXPENSE: "Expenses",
}
"""The five roots that Beancount and hledger know."""

_MARK: Final = "X-"
_PLAIN: Final = re.compile(r"[A-Z0-9]")
_FOREIGN: Final = re.compile(r"[^A-Za-z0-9]")
_FOREIGN_IN_LINK: Final = re.compile(r"[^A-Za-z0-9_./-]")
_ESCAPE: Final = re.compile(r"-(-|[0-9a-f]+-)")


def account_name(kind: AccountType, code: str, owner: str) -> str:
    """'Liabilities:MerchantPayable:X-m1' for what we owe merchant m1."""
    return f"{ROOTS[kind]}:{component(_title(code))}:{component(owner)}"


def component(text: str) -> str:
    """Any text as one component: 'Shop-17' -> 'Shop--17', 'm1' -> 'X-m1', 'a/b' -> 'X-a-2f-b'. See `original`."""
    escaped = _FOREIGN.sub(lambda found: "--" if found[0] == "-" else f"-{ord(found[0]):x}-", text)
    plain = _PLAIN.match(escaped) and not escaped.startswith(_MARK)
    return escaped if plain else f"{_MARK}{escaped}"


def original(component_text: str) -> str:
    """The text that `component` was given."""
    escaped = component_text.removeprefix(_MARK)
    return _ESCAPE.sub(lambda found: "-" if found[1] == "-" else chr(int(found[1][:-1], 16)), escaped)


def link(text: str) -> str:
    """A text as the name of a link or tag of Beancount, for people to follow; the metadata has it exactly."""
    return _FOREIGN_IN_LINK.sub(lambda found: f"-{ord(found[0]):x}-", text)


def _title(code: str) -> str:
    """'merchant_payable' -> 'MerchantPayable', when it can be told back; else as it is."""
    words = code.split("_")
    simple = all(word[:1].islower() and word.islower() and word.isalnum() for word in words)
    return "".join(word.capitalize() for word in words) if simple else code
