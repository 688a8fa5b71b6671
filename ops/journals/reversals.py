"""What a reversal would take back of an entry, found before it is asked for; the rule decides again when it comes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from pydantic import ValidationError

from db.queries import journals as sql
from handlers.decision import Rejection
from handlers.journals.legs import legs_of, reversing
from handlers.journals.model import BookedLine
from handlers.journals.reposting import reposting
from ops.desk.amounts import AmountError, minor_of
from ops.journals.case import LookupFailedError
from schemas.journal import RepostData, ReversedLineData

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from db.connection import Connection
    from schemas.ledger import Leg

_LINE: Final = re.compile(r"([0-9]{1,5})(?:=(.*))?")
_NOBODY: Final = UUID(int=0)


class ReversalError(Exception):
    """It cannot be reversed like that; the message says why."""


@dataclass(frozen=True, slots=True)
class BookedEntry:
    """An entry of the books with its lines; `reversed_minor` by line, as text, is what was taken back already."""

    tenant: str
    lines: tuple[BookedLine, ...]
    reversed_minor: dict[str, int]

    @property
    def name(self) -> dict[str, Any]:
        """As commands name it."""
        return {"object_id": self.lines[0].object_id, "number": self.lines[0].number}

    @property
    def effective_at(self) -> datetime:
        """When it happened."""
        return self.lines[0].effective_at

    @property
    def currency(self) -> str:
        """That of its first line: a rule books one, and refuses an entry of several."""
        return self.lines[0].currency

    def posted_anew(self, repost: Mapping[str, Any]) -> tuple[Leg, ...]:
        """The legs that a posting rule of today would give it.

        Raises:
            ReversalError: there is no such rule, or it needs what the entry does not show.
        """
        try:
            found = reposting(self.lines, RepostData.model_validate(repost))
        except ValidationError as error:
            problem = error.errors(include_url=False, include_input=False, include_context=False)[0]
            raise ReversalError(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}") from error
        if isinstance(found, Rejection):
            raise ReversalError(found.detail)
        return found[0]

    def taken_back(self, asked: list[ReversedLineData] | None) -> tuple[Leg, ...]:
        """The legs that take back what is asked for; without it, all that is left.

        Raises:
            ReversalError: there is not so much left.
        """
        found = reversing(_NOBODY, self.lines, self.reversed_minor, asked)
        if isinstance(found, Rejection):
            raise ReversalError(found.detail)
        return legs_of(found)

    def asked_lines(self, text: str) -> list[ReversedLineData]:
        """'1=10.00,2' -> 10.00 of line 1, and all that is left of line 2.

        Raises:
            ReversalError: it is written otherwise, or names a line that the entry has not.
        """
        return [self._asked_line(part.strip()) for part in text.split(",")]

    def _asked_line(self, text: str) -> ReversedLineData:
        match = _LINE.fullmatch(text)
        lines = {line.line: line for line in self.lines}
        if match is None or int(match[1]) not in lines:
            raise ReversalError(f"--lines {text!r}: write a line from 1 to {len(lines)}, or line=amount")
        line = lines[int(match[1])]
        left_minor = line.amount_minor - self.reversed_minor.get(str(line.line), 0)
        if match[2] is None and left_minor == 0:
            raise ReversalError(f"--lines {text!r}: nothing of line {line.line} is left to reverse")
        try:
            minor = left_minor if match[2] is None else minor_of(match[2].strip(), line.currency)
        except AmountError as error:
            raise ReversalError(f"--lines {text!r}: {error}") from error
        return ReversedLineData(line=line.line, amount_minor=minor)


async def booked_entry(connection: Connection, entry_id: int, tenant: str | None) -> BookedEntry:
    """The entry with this number.

    Raises:
        LookupFailedError: there is none.
    """
    rows = await sql.entry_lines(connection, entry_id=entry_id, tenant=tenant)
    if not rows:
        raise LookupFailedError(f"there is no entry {entry_id}{f' of {tenant}' if tenant else ''}")
    reversed_minor = {str(row["line"]): row["reversed_minor"] for row in rows}
    lines = tuple(
        BookedLine(**{name: content for name, content in row.items() if name != "reversed_minor"})
        for row in rows
    )
    return BookedEntry(rows[0]["tenant"], lines, reversed_minor)
