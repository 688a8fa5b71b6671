"""Messages that nobody can read: what each kind does to a good one, and the reason that its dead letter must name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

from schemas.envelope import MAX_MESSAGE_BYTES
from schemas.money import MAX_AMOUNT_MINOR
from schemas.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Flaw:
    """A kind of unreadable message, made from the JSON of an event that carries an amount."""

    name: str
    reason: Reason
    spoil: Callable[[bytes], bytes]


def _changed(change: Callable[[Event], object]) -> Callable[[bytes], bytes]:
    """A message that is JSON, but wrong: `change` works on the event in place."""

    def spoil(body: bytes) -> bytes:
        event = orjson.loads(body)
        change(event)
        return orjson.dumps(event)

    return spoil


def _in_data(**members: Any) -> Callable[[bytes], bytes]:
    return _changed(lambda event: event["data"].update(members))


def _in_amount(**members: Any) -> Callable[[bytes], bytes]:
    return _changed(lambda event: event["data"]["amount"].update(members))


def _in_envelope(**members: Any) -> Callable[[bytes], bytes]:
    return _changed(lambda event: event.update(members))


FLAWS: Final = (
    # not JSON, or not an object
    Flaw("cut_off", Reason.INVALID_JSON, lambda body: body[: len(body) // 2]),
    Flaw("empty", Reason.INVALID_JSON, lambda _: b""),
    Flaw("not_utf8", Reason.INVALID_JSON, lambda body: body.replace(b"merchant", b"m\xe9rchant", 1)),
    Flaw("nested_without_end", Reason.INVALID_JSON, lambda _: b"[" * 10_000),
    Flaw("a_list", Reason.INVALID_MESSAGE, lambda body: b"[" + body + b"]"),
    Flaw("huge", Reason.MESSAGE_TOO_LARGE, lambda body: body.ljust(MAX_MESSAGE_BYTES + 1)),
    # not one of our messages
    Flaw("unknown_type", Reason.UNKNOWN_TYPE, _in_envelope(type="checkout.gift_card_sold.v1")),
    Flaw("unknown_version", Reason.UNKNOWN_TYPE, _in_envelope(type="checkout.payment_recorded.v9")),
    Flaw("other_specversion", Reason.INVALID_MESSAGE, _in_envelope(specversion="0.3")),
    Flaw("no_tenant", Reason.INVALID_MESSAGE, _changed(lambda event: event.pop("tenant"))),
    Flaw("strange_tenant", Reason.INVALID_MESSAGE, _in_envelope(tenant="Robert'); DROP TABLE payments;--")),
    Flaw("no_time_zone", Reason.INVALID_MESSAGE, _in_envelope(time="2026-03-06T12:00:00")),
    # one of ours, filled in wrongly
    Flaw("no_order", Reason.INVALID_MESSAGE, _changed(lambda event: event["data"].pop("order_id"))),
    Flaw("misspelt_member", Reason.INVALID_MESSAGE, _in_data(amount_in_cents=1)),
    Flaw("amount_as_text", Reason.INVALID_MESSAGE, _in_amount(amount_minor="1999")),
    Flaw("amount_with_a_fraction", Reason.INVALID_MESSAGE, _in_amount(amount_minor=19.99)),
    Flaw("amount_below_zero", Reason.INVALID_MESSAGE, _in_amount(amount_minor=-1)),
    Flaw("amount_beyond_all_bounds", Reason.INVALID_MESSAGE, _in_amount(amount_minor=MAX_AMOUNT_MINOR + 1)),
    Flaw("unknown_currency", Reason.INVALID_MESSAGE, _in_amount(currency="DEM")),
    Flaw("currency_without_minor_unit", Reason.INVALID_MESSAGE, _in_amount(currency="XAU")),
    Flaw("card_number", Reason.CARD_NUMBER_PRESENT, _in_data(metadata={"note": "4111 1111 1111 1111"})),
)
