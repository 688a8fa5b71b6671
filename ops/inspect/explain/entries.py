"""A journal entry: its lines, what it takes back and what takes it back, where it belongs in time, who was given it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from db.queries import explain as sql
from ops.inspect.node import Node
from ops.inspect.words import amount, moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import asyncpg

    from db.connection import Connection

MOST_LINES: Final = 100
"""Of one entry, unless asked for another number; it may have 10,000."""
MOST_LINKS: Final = 20
"""An entry may be taken back in a thousand parts."""

EntryName = tuple[str, int]
"""(tenant, entry id)."""


def name_of(row: asyncpg.Record) -> EntryName:
    """Which entry a row is about."""
    return row["tenant"], row["entry_id"]


Rows = defaultdict[EntryName, list["asyncpg.Record"]]


def _rows() -> Rows:
    return defaultdict(list)


@dataclass(slots=True)
class Entries:
    """What is known of some entries beyond their headers."""

    lines: Rows = field(default_factory=_rows)
    references: Rows = field(default_factory=_rows)
    late: Rows = field(default_factory=_rows)
    periods: Rows = field(default_factory=_rows)
    links: Rows = field(default_factory=_rows)
    groups: Rows = field(default_factory=_rows)
    """By the entry with which the group began."""
    reversed: Rows = field(default_factory=_rows)
    exports: Rows = field(default_factory=_rows)

    @classmethod
    async def load(
        cls, connection: Connection, rows: Sequence[asyncpg.Record], most_lines: int = MOST_LINES
    ) -> Entries:
        """One query for each kind of fact."""
        told = cls()
        if not rows:
            return told
        tenants, entry_ids = zip(*{name_of(row): None for row in rows}, strict=True)
        named = {"tenants": tenants, "entry_ids": entry_ids}
        _sort(told.lines, await sql.lines_of(connection, **named, most=most_lines))
        _sort(told.references, await sql.references_of(connection, **named))
        _sort(told.late, await sql.late_of(connection, **named))
        dates = {name_of(row): row["effective_at"] for row in rows}
        _sort(
            told.periods,
            await sql.periods_of(connection, **named, effective_ats=list(dates.values())),
        )
        _sort(told.links, await sql.links_of(connection, **named, most=MOST_LINKS))
        _sort(told.reversed, await sql.reversed_of(connection, **named))
        _sort(told.exports, await sql.exported_in(connection, **named))
        roots = {
            (row["tenant"], row["root_entry_id"]): None for links in told.links.values() for row in links
        }
        if roots:
            tenants, root_ids = zip(*roots, strict=True)
            for row in await sql.groups_of(connection, tenants=tenants, root_ids=root_ids, most=MOST_LINKS):
                told.groups[row["tenant"], row["root_entry_id"]].append(row)
        return told

    def node(self, row: asyncpg.Record, *more: Node) -> Node:
        """The entry, line by line as an accountant writes it: debits first."""
        text = (
            f"entry {row['entry_id']}, {row['rule']} for {row['object_type']} {row['object_id']}, "
            f"effective {moment(row['effective_at'])}, posted {moment(row['posted_at'])}"
        )
        names = ("tenant", "entry_id", "rule", "object_type", "object_id", "effective_at", "posted_at")
        facts = {name: row[name] for name in (*names, "source", "event_id", "legs")}
        return Node("entry", text, facts, (*self._lines_of(row), *self._marks_of(row), *more))

    def legs(self, row: asyncpg.Record) -> list[dict[str, Any]] | None:
        """The lines as `ledger.entry_posted` tells them; None when not all of them are loaded or there."""
        lines = self._there(row)
        if len(lines) != row["legs"]:
            return None
        return [
            {
                "side": _side(line),
                "account": line["code"],
                "owner": line["owner"],
                "amount_minor": line["amount_minor"],
                "currency": line["currency"],
            }
            for line in lines
        ]

    def _there(self, row: asyncpg.Record) -> list[asyncpg.Record]:
        return [line for line in self.lines[name_of(row)] if line["line"] is not None]

    def _lines_of(self, row: asyncpg.Record) -> tuple[Node, ...]:
        lines = self._there(row)
        there = self.lines[name_of(row)][0]["there"] if self.lines[name_of(row)] else 0
        off_by = self.lines[name_of(row)][0]["off_by"] if self.lines[name_of(row)] else None
        nodes = [line_node(line) for line in lines]
        if there > len(lines):
            nodes.append(Node("rest", f"and {there - len(lines):,} more lines; see them with --lines"))
        if there != row["legs"]:
            text = (
                f"it was written with {row['legs']:,} lines, of which {there:,} are there: this breaks law 9"
            )
            nodes.append(Node("missing", text, {"legs": row["legs"], "there": there}))
        for currency, minor in (off_by or {}).items():
            text = f"it does NOT balance: off by {amount(minor, currency)}, which breaks law 1"
            nodes.append(Node("missing", text, {"currency": currency, "off_by_minor": minor}))
        return tuple(nodes)

    def _marks_of(self, row: asyncpg.Record) -> Iterable[Node]:
        name = name_of(row)
        for one in self.references[name]:
            yield Node("reference", f"{one['name']} {one['value']}", {one["name"]: one["value"]})
        for late in self.late[name]:
            text = (
                f"came late: it happened {moment(late['origin_effective_at'])}, in period {late['period']}, which "
                f"was closed by then; so it is booked as of {moment(row['effective_at'])}"
            )
            yield Node("late", text, {column: late[column] for column in ("origin_effective_at", "period")})
        for period in self.periods[name]:
            text = (
                f"belongs to period {period['period']}, which is {period['state']} "
                f"(counterfoil explain period {period['period']})"
            )
            yield Node("period", text, {column: period[column] for column in ("period", "state")})
        yield from self._links_of(name)
        for export in self.exports[name]:
            given = moment(export["created_at"])
            text = f"given to accounting in batch {export['batch']} ({export['format']}), {given}"
            yield Node("export", text, {column: export[column] for column in ("batch", "format", "sha256")})

    def _links_of(self, name: EntryName) -> Iterable[Node]:
        tenant, entry_id = name
        roots: dict[int, None] = {}
        for link in self.links[name]:
            roots[link["root_entry_id"]] = None
            facts = {
                column: link[column] for column in ("kind", "linked_entry_id", "by_entry_id", "root_entry_id")
            }
            if link["by_entry_id"] == entry_id:
                text = f"{link['kind']} entry {link['linked_entry_id']}"
            else:
                verb = {"reverses": "reversed", "replaces": "replaced"}[link["kind"]]
                text = f"{verb} by entry {link['by_entry_id']}"
            yield Node("link", text, facts)
        for row in self.reversed[name]:
            minors = {line["line"]: line for line in self.lines[name]}
            parts = [
                f"{amount(minor, minors[int(line)]['currency']) if int(line) in minors else minor} of line {line}"
                for line, minor in sorted(row["reversed_minor"].items(), key=lambda item: int(item[0]))
            ]
            shown = parts[:MOST_LINKS]
            more = f" and of {len(parts) - len(shown):,} more lines" if len(parts) > len(shown) else ""
            yield Node(
                "reversed", f"taken back so far: {', '.join(shown)}{more}", dict(row["reversed_minor"])
            )
        for root in roots:
            members = self.groups[tenant, root]
            nodes = tuple(map(_member_node, members))
            hidden = members[0]["there"] - len(members) if members else 0
            rest = (Node("rest", f"and {hidden:,} between"),) if hidden else ()
            yield Node(
                "group", f"stands in one group with what began as entry {root}", {"root": root}, nodes + rest
            )


def _sort(into: Rows, rows: Iterable[asyncpg.Record]) -> None:
    for row in rows:
        into[name_of(row)].append(row)


def _side(line: asyncpg.Record) -> str:
    return "debit" if line["direction"] == 1 else "credit"


def line_node(line: asyncpg.Record) -> Node:
    """A leg, as an accountant writes it."""
    side = _side(line)
    gone = f"account {line['account_id']}, which is NOT there"
    whose = f"{line['code']} of {line['owner']}" if line["code"] is not None else gone
    text = f"{side:6} {amount(line['amount_minor'], line['currency']):>20}  {whose}"
    names = ("line", "amount_minor", "currency", "account_id", "code", "owner")
    return Node("line", text, {"side": side} | {name: line[name] for name in names})


def _member_node(row: asyncpg.Record) -> Node:
    linked = "" if row["linked_entry_id"] is None else f" {row['kind']} {row['linked_entry_id']}"
    text = f"entry {row['entry_id']}{linked or ' original'}: {row['rule']}, effective {moment(row['effective_at'])}"
    return Node("member", text, {name: row[name] for name in ("entry_id", "kind", "linked_entry_id", "rule")})
