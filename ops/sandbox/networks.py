"""What each payment network allows: the table behind increments, over-capture, captures in parts and expiry.

The names are the sandbox's own. A real scheme's limits depend on the merchant's category and change twice a year;
these are fixed, and each row shows one thing that a caller must be ready for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

MethodType: TypeAlias = Literal["card", "bank_debit"]
NetworkName: TypeAlias = Literal["card_standard", "card_travel", "card_single", "bank_debit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """The rules of one network."""

    method_type: MethodType
    hold_days: int
    """How long an authorization can be captured; afterwards it expires."""
    manual_capture: bool = True
    """Whether money can be held first and captured later."""
    captures_in_parts: bool = True
    """Whether a capture may leave something to be captured later."""
    incremental: bool = True
    """Whether an authorization can be raised."""
    over_capture_bps: int = 0
    """How much more than was authorized may be captured, in basis points of it."""


NETWORKS: Mapping[NetworkName, Network] = {
    "card_standard": Network(method_type="card", hold_days=7),
    "card_travel": Network(method_type="card", hold_days=30, over_capture_bps=1_500),
    "card_single": Network(method_type="card", hold_days=5, captures_in_parts=False, incremental=False),
    "bank_debit": Network(method_type="bank_debit", hold_days=0, manual_capture=False, incremental=False),
}
