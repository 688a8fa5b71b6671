"""A CSV file of legs, as accounting makes it in a spreadsheet, to the legs of a journal; docs/desk.md documents it.

account,owner,side,amount,currency
suspense,stripe,debit,1234.56,EUR
bank_clearing,main,credit,1234.56,EUR

Commas or semicolons, UTF-8 with or without a mark, any line ends. `amount` is exact decimal text of the currency;
`amount_minor` in its place is whole minor units. What is wrong is told by line and column, all of it at once.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from handlers.journals.policy import may_post_to
from ops.desk.amounts import AmountError, minor_of, whole_minor_of
from schemas.currencies import is_currency
from schemas.journal import MAX_LEGS, LegData

if TYPE_CHECKING:
    from pathlib import Path

    from schemas.actor import Actor

MAX_FILE_BYTES: Final = 8 * 2**20
"""Ten thousand legs with the longest names that there are take half of it."""
TOLD_AT_MOST: Final = 20
COLUMNS: Final = ("account", "owner", "side", "currency")
AMOUNTS: Final = ("amount", "amount_minor")
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula. An owner like that would be one in every later export."""
_SHOWN: Final = 40
_LONGEST_HEADER: Final = 4096
_WORDS: Final = {
    "account": "has 1 to 128 printable ASCII characters and no space",
    "owner": "has 1 to 128 printable ASCII characters and no space",
    "side": "is debit or credit",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, and where; `column` is None for a whole line, `line` None for the whole file."""

    line: int | None
    column: str | None
    reason: str

    def __str__(self) -> str:
        places = [f"line {self.line}"] if self.line else []
        places += [self.column] if self.column else []
        return f"{', '.join(places)}: {self.reason}" if places else self.reason


class LegsFileError(Exception):
    """The file cannot be a journal: `problems` in the order of its lines, the first of them in the message."""

    def __init__(self, problems: list[Problem]) -> None:
        told = [str(problem) for problem in problems[:TOLD_AT_MOST]]
        more = len(problems) - len(told)
        super().__init__("\n".join([*told, *([f"and {more:,} more"] if more else [])]))
        self.problems = problems


def read_legs(file: Path, actor: Actor) -> list[LegData]:
    """The legs of a file, which `actor` may post to. Whether they balance is the journal's to say.

    Raises:
        LegsFileError: something of it is wrong; all of that is in it.
    """
    try:
        with file.open("rb") as opened:
            raw = opened.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise LegsFileError([Problem(None, None, f"{file}: {error.strerror}")]) from error
    if len(raw) > MAX_FILE_BYTES:
        raise LegsFileError([Problem(None, None, f"{file} is larger than {MAX_FILE_BYTES:,} bytes")])
    return legs_of(raw, actor)


def legs_of(raw: bytes, actor: Actor) -> list[LegData]:
    """As `read_legs`, of the file's bytes."""
    records = _records(_text(raw))
    header_line, header = next(records, (1, []))
    places = _places(header_line, header)
    legs: list[LegData] = []
    problems: list[Problem] = []
    for number, (line, fields) in enumerate(records, 1):
        if number > MAX_LEGS:
            problems.append(
                Problem(line, None, f"more than {MAX_LEGS:,} legs; make several journals of them")
            )
            break
        found = _leg(line, fields, places, len(header), actor)
        if isinstance(found, LegData):
            legs.append(found)
        else:
            problems += found
    if not legs and not problems:
        problems.append(Problem(None, None, "there is no leg below the header"))
    if problems:
        raise LegsFileError(problems)
    return legs


def _text(raw: bytes) -> str:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise LegsFileError([Problem(1, None, "the file is UTF-16; save it as CSV UTF-8")])
    if raw.startswith(b"PK\x03\x04"):
        raise LegsFileError(
            [Problem(1, None, "this is a workbook, not a CSV file; save the sheet as CSV UTF-8")]
        )
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise LegsFileError([Problem(line, None, "is not UTF-8; save the sheet as CSV UTF-8")]) from error


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    """Each record that is not empty, with the line on which it begins. The header says by what fields are parted."""
    first = next(iter(text[:_LONGEST_HEADER].splitlines()), "")
    delimiter = ";" if ";" in first and "," not in first else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            fields = [field.strip(" ") for field in next(reader)]
        except StopIteration:
            return
        except csv.Error as error:
            raise LegsFileError([Problem(line, None, f"is not CSV: {error}")]) from error
        if any(fields):
            yield line, fields


def _places(line: int, header: list[str]) -> dict[str, int]:
    """Column -> its place."""
    names = [name.lower() for name in header]
    problems = [
        Problem(line, name, "is missing in the header" if name not in names else "is twice in the header")
        for name in COLUMNS
        if names.count(name) != 1
    ]
    if sum(names.count(name) for name in AMOUNTS) != 1:
        problems.append(Problem(line, None, f"the header needs one of {' and '.join(AMOUNTS)}, and not both"))
    known = (*COLUMNS, *AMOUNTS)
    problems += [
        Problem(line, None, f"column {number}, {name[:_SHOWN]!r}, is none of {', '.join(known)}")
        for number, name in enumerate(names, 1)
        if name not in known
    ]
    if problems:
        raise LegsFileError(problems)
    return {name: place for place, name in enumerate(names)}


def _leg(
    line: int, fields: list[str], places: dict[str, int], width: int, actor: Actor
) -> LegData | list[Problem]:
    if len(fields) != width:
        return [Problem(line, None, f"has {len(fields)} fields, the header {width}")]
    told = {name: fields[place] for name, place in places.items()}
    values: dict[str, Any] = {name: told[name] for name in COLUMNS} | {"side": told["side"].lower()}
    problems = {name: reason for name in ("account", "owner") if (reason := _unfit(told[name]))}
    if not is_currency(told["currency"]):
        problems["currency"] = f"{told['currency'][:_SHOWN]!r} is no active ISO 4217 currency"
    name = next(name for name in AMOUNTS if name in told)
    try:
        if name == "amount_minor":
            values["amount_minor"] = whole_minor_of(told[name])
        elif "currency" not in problems:
            values["amount_minor"] = minor_of(told[name], told["currency"])
    except AmountError as error:
        problems[name] = str(error)
    if "account" not in problems and (refused := may_post_to([told["account"]], actor)) is not None:
        problems["account"] = f"{refused.detail}; see `counterfoil chart`"
    leg = None
    try:
        leg = LegData.model_validate({"amount_minor": 1, **values})
    except ValidationError as error:
        problems = _by_column(error) | problems
    if leg is None or problems:
        return [Problem(line, column, problems[column]) for column in places if column in problems]
    return leg


def _by_column(error: ValidationError) -> dict[str, str]:
    """What the contract says of each column; a pattern in our words, a card number in its own."""
    told = {}
    for one in error.errors(include_url=False, include_input=False):
        column = str(one["loc"][0])
        is_own = one["type"] == "value_error"
        told[column] = str(one["ctx"]["error"]) if is_own else _WORDS.get(column, one["msg"])
    return told


def _unfit(text: str) -> str | None:
    if not text:
        return "is missing"
    if text.startswith(FORMULA):
        return f"{text[:_SHOWN]!r} begins like a formula of a spreadsheet"
    return None
