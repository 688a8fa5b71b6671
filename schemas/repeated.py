"""Answers to repeated ledger commands, each on the topic and under the key where its own events go.

Those of `checkout.events` are answered by `payment.command_repeated.v1` (schemas.payment).
"""

from __future__ import annotations

from typing import Final

from schemas.value import message

JOURNAL_REPEATED: Final = "journal.command_repeated.v1"
WALLET_REPEATED: Final = "wallet.command_repeated.v1"
"""Of commands about holds, too."""
PERIOD_REPEATED: Final = "period.command_repeated.v1"


@message
class LedgerCommandRepeated:
    """A command came again with a key that was used before: nothing was done, this is the first one's outcome.

    `object_id` is what the command is about, as it named it: a journal_id, a wallet's name, or `periods`.
    """

    object_id: str
    operation: str
    idempotency_key: str
    first_event_id: str
    outcome: str
    reason: str | None
