"""The consumer of `ledger.commands`: journals, reversals, conversions, wallets and holds."""

from __future__ import annotations

from functools import partial

from consumers.subscription import subscribe

register = partial(subscribe, topic="ledger.commands")
