"""Names in others' alphabets: valid, all different, and to be read back."""

from __future__ import annotations

import pytest
from beancount.core import account
from hypothesis import given
from hypothesis import strategies as st

from handlers.ledger.model import AccountType, Code
from ops.exports.names import account_name, component, link, original


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("M1", "M1"),
        ("m1", "X-m1"),
        ("X-m1", "X-X--m1"),
        ("7", "7"),
        ("Shop-17", "Shop--17"),
        ("a/b", "X-a-2f-b"),
    ],
)
def test_an_owner_stays_legible(text: str, told: str) -> None:
    assert component(text) == told


@given(st.text())
def test_every_owner_can_be_read_back_and_beancount_takes_it(owner: str) -> None:
    assert original(component(owner)) == owner
    assert account.is_valid(account_name(AccountType.LIABILITY, "merchant_payable", owner))


def test_every_code_of_the_chart_has_a_name_of_its_own() -> None:
    names = {account_name(AccountType.ASSET, code, "m1") for code in Code}
    assert len(names) == len(Code)
    assert "Assets:MerchantPayable:X-m1" in names


@given(st.text(alphabet=st.characters(min_codepoint=0x21, max_codepoint=0x7E)))
def test_a_link_has_only_what_links_may_have(text: str) -> None:
    assert set(link(text)) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_/.")
