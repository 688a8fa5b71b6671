"""All that is known of a journal: its legs, who did what, what it posted, and what belongs together with that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from db.queries import journals as sql
from schemas.ledger import Leg

if TYPE_CHECKING:
    from db.connection import Connection


class LookupFailedError(Exception):
    """What was named is not there, or is there several times; the message says so."""


@dataclass(frozen=True, slots=True)
class JournalCase:
    """Rows of db/queries/journals.sql. `reversed_entry_id` is the entry that the journal takes back, if it is one."""

    journal: dict[str, Any]
    lines: list[dict[str, Any]]
    steps: list[dict[str, Any]]
    entries: list[dict[str, Any]]
    later: list[dict[str, Any]]
    reversed_entry_id: int | None

    @property
    def legs(self) -> list[Leg]:
        """What it posts, or would."""
        return [legs_of_row(row) for row in self.lines]

    @property
    def reverses(self) -> dict[str, Any] | None:
        """The entry that it takes back as commands name it."""
        if self.journal["reverses_object"] is None:
            return None
        return {"object_id": self.journal["reverses_object"], "number": self.journal["reverses_number"]}

    def as_json(self) -> dict[str, Any]:
        """For programs; amounts in minor units."""
        names = ("journal", "lines", "steps", "entries", "later", "reversed_entry_id")
        return {name: getattr(self, name) for name in names}


async def journal_case(connection: Connection, name: str, tenant: str | None) -> JournalCase:
    """The journal with this name, or id of ours.

    Raises:
        LookupFailedError: there is none, or several tenants have one of that name.
    """
    found = await sql.journals_named(connection, name=name, object_id=_uuid(name), tenant=tenant)
    if not found:
        raise LookupFailedError(f"there is no journal {name}")
    if len(found) > 1:
        tenants = ", ".join(row["tenant"] for row in found)
        raise LookupFailedError(
            f"journal {name} is one of several tenants ({tenants}): say which with --tenant"
        )
    journal = dict(found[0])
    own = {"tenant": journal["tenant"], "object_id": journal["object_id"]}
    reversed_entry_id = await sql.named_entry(
        connection,
        tenant=journal["tenant"],
        object_id=journal["reverses_object"],
        number=journal["reverses_number"],
    )
    return JournalCase(
        journal,
        _rows(await sql.lines_of_journal(connection, **own)),
        _rows(await sql.steps_of_journal(connection, **own)),
        _rows(await sql.entries_of_journal(connection, **own)),
        _rows(await sql.later_links(connection, **own)),
        reversed_entry_id,
    )


def legs_of_row(row: Any) -> Leg:
    """A row with a leg's columns as a leg."""
    return Leg(row["side"], row["account"], row["owner"], row["amount_minor"], row["currency"])


def _rows(records: list[Any]) -> list[dict[str, Any]]:
    return [dict(record) for record in records]


def _uuid(name: str) -> UUID | None:
    try:
        return UUID(name)
    except ValueError:
        return None
