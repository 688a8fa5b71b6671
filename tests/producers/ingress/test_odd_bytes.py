"""Requests with bytes changed, cut, doubled and moved: no crash, and only the genuine body is kept."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING

import pytest

from producers.ingress.limits import Limits
from tests.producers.ingress.bank import note, signed
from tests.producers.ingress.books import kept
from tests.producers.ingress.conftest import an_ingress
from tests.producers.ingress.post import request, send

if TYPE_CHECKING:
    from tests.conftest import Connection, Database

BODY = note("evt_1")
MUTANTS = 400
KNOWN = {0, 200, 400, 401, 404, 405, 408, 413, 415}
ODD = (
    b"\x00",
    b"\r\n",
    b"\r\n\r\n",
    b" ",
    b":",
    b"\xff",
    b"%00",
    b"%2f",
    b"-1",
    b"9" * 30,
    b"chunked",
    b"\t",
)


def mutant(raw: bytes, draw: Random) -> bytes:
    """The request with one to four wounds."""
    for _ in range(draw.randint(1, 4)):
        at, length = draw.randrange(len(raw)), draw.randint(0, 30)
        piece = raw[at : at + length]
        where = draw.randrange(len(raw))
        raw = draw.choice(
            [
                raw[:at] + raw[at + length :] or b"x",
                raw[:where] + piece + raw[where:],
                raw[:at] + draw.choice(ODD) + raw[at:],
                raw[:at] + bytes([raw[at] ^ 1 << draw.randrange(8)]) + raw[at + 1 :],
            ]
        )
    return raw


@pytest.mark.parametrize("seed", range(3))
async def test_no_mutant_breaks_anything_or_is_kept(
    database: Database, admin: Connection, caplog: pytest.LogCaptureFixture, seed: int
) -> None:
    draw = Random(seed)  # noqa: S311 - a test's
    genuine = request(BODY, signed(BODY))
    async with an_ingress(database.app_url, Limits(head_within_s=0.5, body_within_s=0.5)) as running:
        answers = await asyncio.gather(*(send(running.port, mutant(genuine, draw)) for _ in range(MUTANTS)))
        assert (await send(running.port, genuine)).status == 200
        assert running.seen.drops["no_http"] > 0
    statuses = {one.status for one in answers}
    assert statuses <= KNOWN
    assert {400, 401, 404} <= statuses, "the mutants were too tame"
    assert [row["body"] for row in await kept(admin)] == [BODY]
    assert caplog.records == [], "each of them writes a line, or broke something"
