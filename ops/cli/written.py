"""What people write in options: name=value, account/owner, amounts. What makes no sense ends the command, by option."""

from __future__ import annotations

from ops.desk.amounts import AmountError, minor_of
from ops.inspect.screen import fail


def pairs(option: str, told: list[str] | None, example: str) -> dict[str, str]:
    """Each `name=value`; a name that comes twice makes no sense."""
    found: dict[str, str] = {}
    for text in told or ():
        name, sign, content = text.partition("=")
        if not name or not sign or name in found:
            fail(f"{option} {text!r}: write name=value, each name once, like {example}")
        found[name] = content
    return found


def place(option: str, text: str) -> dict[str, str]:
    """`account/owner`."""
    account, slash, owner = text.partition("/")
    if not account or not slash or not owner:
        fail(f"{option} {text!r}: write account/owner, like bank_clearing/main")
    return {"account": account, "owner": owner}


def minor(option: str, text: str, currency: str) -> int:
    """An amount above zero of this currency, in minor units."""
    try:
        return minor_of(text.strip(), currency)
    except AmountError as error:
        fail(f"{option}: {error}")


def minor_or_zero(option: str, text: str, currency: str) -> int:
    """As `minor`; "0" is zero."""
    return 0 if text == "0" else minor(option, text, currency)


def repost_of(
    rule: str, amounts: list[str] | None, owners: list[str] | None, currency: str
) -> dict[str, str | dict[str, str] | dict[str, int]]:
    """`--by-rule` with its `--amount` and `--owner`, as commands say it."""
    told = pairs("--amount", amounts, "fee=0.80")
    return {
        "rule": rule,
        "owners": pairs("--owner", owners, "merchant=m2"),
        "amounts_minor": {name: minor_or_zero("--amount", text, currency) for name, text in told.items()},
    }
