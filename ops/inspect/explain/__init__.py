"""Explanations: from money, payments and events back to the messages, and forward to what went out."""

from __future__ import annotations

from ops.inspect.explain.balances import explain_balance
from ops.inspect.explain.entries import explain_entry
from ops.inspect.explain.events import explain_event
from ops.inspect.explain.payments import explain_payment

__all__ = ["explain_balance", "explain_entry", "explain_event", "explain_payment"]
