"""What a released schema may become: whatever one side may write, the other side must still read.

For a message that we read, the writer is the released schema (senders that know no newer one), the reader the
current one. For a message that we write it is the other way round: consumers were built from the released
schema. So one question answers both; docs/adr/0006-contracts.md says what follows from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ops.contracts.json_schemas import Direction, JsonSchema

    Break = tuple[str, str]

ANNOTATIONS: Final = {
    "$schema",
    "$defs",
    "title",
    "description",
    "discriminator",
    "examples",
    "deprecated",
    "default",
}
"""Keywords that refuse nothing. Defaults are compared all the same: they say what an absent member means."""
AT_LEAST: Final = ("minLength", "minItems", "minProperties", "minimum")
AT_MOST: Final = ("maxLength", "maxItems", "maxProperties", "maximum")
SAME: Final = ("pattern", "format", "patternProperties", "propertyNames")
"""Which of two patterns takes more, nobody can say in general: they stay, or go."""
STRUCTURE: Final = (
    "type",
    "enum",
    "const",
    "anyOf",
    "oneOf",
    "items",
    "properties",
    "required",
    "additionalProperties",
)
UNIONS: Final = {"anyOf", "oneOf"}
"""Alternatives, which may hold others; that the branches of a oneOf exclude each other is their tags' affair."""
COMPARED: Final = {*AT_LEAST, *AT_MOST, *SAME, *STRUCTURE, "exclusiveMinimum", "exclusiveMaximum"}


def breaks(released: JsonSchema, current: JsonSchema, direction: Direction) -> list[str]:
    """Why `current` may not replace `released`, as `path: reason`; empty when it may."""
    if direction == "inbound":
        comparison = _Comparison(writer=released, reader=current, released=released)
    else:
        comparison = _Comparison(writer=current, reader=released, released=released)
    return [f"{path or 'message'}: {why}" for path, why in comparison.whole()]


class _Comparison:
    """Two documents, for their `$defs`, and which of them is out in the world."""

    def __init__(self, *, writer: JsonSchema, reader: JsonSchema, released: JsonSchema) -> None:
        self._writer = writer
        self._reader = reader
        self._writer_is_released = released is writer

    def whole(self) -> list[Break]:
        return list(self._narrowed(self._writer, self._reader, ""))

    def _narrowed(self, writer: JsonSchema, reader: JsonSchema, path: str) -> Iterator[Break]:
        """Each place where the writer may say what the reader refuses."""
        writer, reader = _resolved(writer, self._writer), _resolved(reader, self._reader)
        for keyword in sorted((writer.keys() | reader.keys()) - ANNOTATIONS - COMPARED):
            if writer.get(keyword) != reader.get(keyword):
                yield path, f"{keyword} differs, and no rule compares it"
        if UNIONS & (writer.keys() | reader.keys()):
            yield from self._branches(writer, reader, path)
            return
        yield from _types(writer, reader, path)
        yield from _values(writer, reader, path)
        yield from _limits(writer, reader, path)
        yield from self._members(writer, reader, path)
        if "items" in reader:
            yield from self._narrowed(writer.get("items", {}), reader["items"], f"{path}[]")

    def _branches(self, writer: JsonSchema, reader: JsonSchema, path: str) -> Iterator[Break]:
        """Some branch of the reader must take each of the writer's; the closest one says what is wrong."""
        for said in _alternatives(writer, self._writer):
            tried = [list(self._narrowed(said, read, path)) for read in _alternatives(reader, self._reader)]
            yield from min(tried, key=len)

    def _members(self, writer: JsonSchema, reader: JsonSchema, path: str) -> Iterator[Break]:
        written, read = writer.get("properties", {}), reader.get("properties", {})
        for name in sorted(written.keys() & read.keys()):
            yield from self._narrowed(written[name], read[name], _under(path, name))
            yield from _defaults(written[name], read[name], _under(path, name))
        for name in sorted(set(reader.get("required", ())) - set(writer.get("required", ()))):
            yield _under(path, name), "required by the reader, not promised by the writer"
        # Gone, it would be ignored or missed, also where both sides take members that they do not know.
        gone = written.keys() - read.keys() if self._writer_is_released else read.keys() - written.keys()
        yield from ((_under(path, name), "gone") for name in sorted(gone))
        yield from self._others(writer, reader, sorted(written.keys() - read.keys() - gone), path)

    def _others(
        self, writer: JsonSchema, reader: JsonSchema, unknown: list[str], path: str
    ) -> Iterator[Break]:
        """Members that have no schema of their own on the reader's side."""
        written, read = writer.get("additionalProperties", True), reader.get("additionalProperties", True)
        if isinstance(read, dict):
            if written is not False:
                said = written if isinstance(written, dict) else {}
                yield from self._narrowed(said, read, _under(path, "*"))
        elif not read:
            yield from ((_under(path, name), "unknown to the reader") for name in unknown)
            if written:
                yield path, "the reader takes no other members, the writer may have some"


def _resolved(schema: JsonSchema, document: JsonSchema) -> JsonSchema:
    """The schema that a local `$ref` names, with what stands beside the reference."""
    if "$ref" not in schema:
        return schema
    target: Any = document
    for step in schema["$ref"].removeprefix("#/").split("/"):
        target = target[step]
    return {**_resolved(target, document), **{name: part for name, part in schema.items() if name != "$ref"}}


def _alternatives(schema: JsonSchema, document: JsonSchema) -> Iterator[JsonSchema]:
    """The branches of a union, and of the unions in it; a schema that is none is its own."""
    schema = _resolved(schema, document)
    branches = [branch for keyword in UNIONS for branch in schema.get(keyword, ())]
    if not branches:
        yield schema
    for branch in branches:
        yield from _alternatives(branch, document)


def _types(writer: JsonSchema, reader: JsonSchema, path: str) -> Iterator[Break]:
    if "type" not in reader:
        return
    taken = {"integer", "number"} if reader["type"] == "number" else {reader["type"]}
    if writer.get("type") not in taken:
        yield path, f"{writer.get('type', 'anything')} is read as {reader['type']}"


def _values(writer: JsonSchema, reader: JsonSchema, path: str) -> Iterator[Break]:
    written, read = _listed(writer), _listed(reader)
    if read is not None and written is None:
        yield path, "the reader takes only listed values"
    elif read is not None and written is not None:
        yield from ((path, f"{value!r} is unknown to the reader") for value in written if value not in read)


def _limits(writer: JsonSchema, reader: JsonSchema, path: str) -> Iterator[Break]:
    writer, reader = _with_inclusive_limits(writer), _with_inclusive_limits(reader)
    for keyword in (*AT_LEAST, *AT_MOST):
        if keyword not in reader:
            continue
        written, read = writer.get(keyword), reader[keyword]
        if written is None or (read > written if keyword in AT_LEAST else read < written):
            yield path, f"{keyword} {'none' if written is None else written} is read as {read}"
    for keyword in SAME:
        if keyword in reader and reader[keyword] != writer.get(keyword):
            yield path, f"{keyword} {writer.get(keyword, 'none')} is read as {reader[keyword]}"


def _defaults(writer: JsonSchema, reader: JsonSchema, path: str) -> Iterator[Break]:
    if "default" in writer and "default" in reader and writer["default"] != reader["default"]:
        yield path, f"default {writer['default']!r} is read as {reader['default']!r}"


def _with_inclusive_limits(schema: JsonSchema) -> JsonSchema:
    """Above 0 is at least 1: our numbers are integers."""
    plain = dict(schema)
    if "exclusiveMinimum" in plain:
        plain["minimum"] = plain.pop("exclusiveMinimum") + 1
    if "exclusiveMaximum" in plain:
        plain["maximum"] = plain.pop("exclusiveMaximum") - 1
    return plain


def _listed(schema: JsonSchema) -> list[Any] | None:
    return [schema["const"]] if "const" in schema else schema.get("enum")


def _under(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
