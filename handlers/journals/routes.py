"""The messages that journals handle: commands, and the timer of what nobody decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from handlers.journals.model import entry_name, journal_uuid_of
from handlers.journals.rules.decisions import approve, lapse, refuse
from handlers.journals.rules.proposals import add_part, propose_conversion, propose_journal, propose_reversal
from handlers.needs import Need, Route

if TYPE_CHECKING:
    from handlers.needs import Key
    from schemas.envelope import Message
    from schemas.journal import EntryName


def _journal_key(message: Message) -> Key:
    return message.tenant, journal_uuid_of(message.tenant, message.data.journal_id)


def _object_key(message: Message) -> Key | None:
    object_id = message.data.object_id
    return None if object_id is None else (message.tenant, object_id)


def _entry(message: Message) -> EntryName | None:
    """The entry that is to be reversed."""
    data = message.data
    name: EntryName | None = data.entry if hasattr(data, "entry") else data.reverses
    return name


def _booked_key(message: Message) -> Key | None:
    entry = _entry(message)
    return None if entry is None else (message.tenant, entry.object_id)


def _reversal_key(message: Message) -> Key | None:
    entry = _entry(message)
    return None if entry is None else (message.tenant, entry_name(entry.object_id, entry.number))


JOURNAL: Final = Need("journal", _journal_key)
JOURNAL_OBJECT: Final = Need("journal", _object_key)
JOURNAL_LINES: Final = Need("journal_lines", _journal_key)
BOOKED: Final = Need("booked", _booked_key)
REVERSAL: Final = Need("reversal", _reversal_key)

ROUTES: Final[dict[str, Route]] = {
    "ledger.journal_proposed.v1": Route(propose_journal, (JOURNAL,)),
    "ledger.journal_part_added.v1": Route(add_part, (JOURNAL,)),
    "ledger.reversal_proposed.v1": Route(propose_reversal, (JOURNAL, BOOKED, REVERSAL)),
    "ledger.conversion_proposed.v1": Route(propose_conversion, (JOURNAL,)),
    "ledger.journal_approved.v1": Route(approve, (JOURNAL, JOURNAL_LINES, BOOKED, REVERSAL)),
    "ledger.journal_refused.v1": Route(refuse, (JOURNAL,)),
}

TIMERS: Final[dict[str, Route]] = {"journal_expiry": Route(lapse, (JOURNAL_OBJECT,))}
