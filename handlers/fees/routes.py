"""The messages that fees handle."""

from __future__ import annotations

from typing import Final

from handlers.fees.rules import set_fees
from handlers.needs import FEES, Route

ROUTES: Final[dict[str, Route]] = {"checkout.merchant_fees_set.v1": Route(set_fees, (FEES,))}
