"""Explanations: from money, objects and events back to the messages, and forward to what went out.

A Trail loads what is behind messages, a Story what an object went through; a Teller tells both as a tree of Nodes.
"""

from __future__ import annotations

from ops.inspect.explain.balances import Shown, Span, explain_balance
from ops.inspect.explain.disputes import explain_dispute
from ops.inspect.explain.entry import explain_entry
from ops.inspect.explain.events import explain_event
from ops.inspect.explain.journals import explain_journal
from ops.inspect.explain.payments import explain_payment
from ops.inspect.explain.periods import explain_period
from ops.inspect.explain.refunds import explain_refund
from ops.inspect.explain.totals import Total, explain_total
from ops.inspect.explain.wallets import explain_hold, explain_wallet

__all__ = [
    "Shown",
    "Span",
    "Total",
    "explain_balance",
    "explain_dispute",
    "explain_entry",
    "explain_event",
    "explain_hold",
    "explain_journal",
    "explain_payment",
    "explain_period",
    "explain_refund",
    "explain_total",
    "explain_wallet",
]
