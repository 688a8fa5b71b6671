"""What is forged, late, malformed, too large, too slow or for nobody is refused, counted and kept nowhere."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import orjson
import pytest
from pydantic import SecretStr

from producers.ingress.endpoints import EndpointError, served
from producers.ingress.limits import Limits
from producers.ingress.refusals import SAY_EVERY_S, RefusalLog
from producers.providers.webhooks import Endpoint
from tests.brokers import until
from tests.producers.ingress.bank import BANK, NEW, PATH, Bank, note, signed
from tests.producers.ingress.books import kept, told
from tests.producers.ingress.conftest import Running, an_ingress
from tests.producers.ingress.post import NOTHING, answer, connected, post, request, send
from tests.producers.signatures.vectors import data_file

if TYPE_CHECKING:
    from tests.conftest import Connection, Database

BODY = note("evt_1")
DAY_S = 86_400
"""Far beyond the tolerance, however long the tests before this one take."""
STRANGER = SecretStr("whsec_c3RyYW5nZXItc3RyYW5nZXI=")


async def nothing_was_kept(admin: Connection) -> bool:
    """Neither a row nor a message."""
    return not await kept(admin) and not await told(admin)


def stamped(seconds: float) -> dict[str, str]:
    """Signed so long before now."""
    return signed(BODY, at=datetime.now(UTC) - timedelta(seconds=seconds))


REFUSED = {
    "forged": (BODY, signed(BODY, STRANGER), 401, "signature_mismatch"),
    "another body": (BODY + b" ", signed(BODY), 401, "signature_mismatch"),
    "no signature": (BODY, {"content-type": "application/json"}, 401, "signature_missing"),
    "too old": (BODY, stamped(DAY_S), 401, "timestamp_too_old"),
    "too new": (BODY, stamped(-DAY_S), 401, "timestamp_too_new"),
    "malformed": (BODY, signed(BODY) | {"webhook-timestamp": "soon"}, 400, "signature_malformed"),
    "a form": (
        BODY,
        signed(BODY) | {"content-type": "application/x-www-form-urlencoded"},
        415,
        "wrong_content_type",
    ),
    "no type": (
        BODY,
        {k: v for k, v in signed(BODY).items() if k != "content-type"},
        415,
        "wrong_content_type",
    ),
    "compressed": (BODY, signed(BODY) | {"content-encoding": "gzip"}, 415, "encoded_body"),
}


@pytest.mark.parametrize(("body", "headers", "status", "reason"), REFUSED.values(), ids=REFUSED)
async def test_it_is_refused_for_this_reason_and_not_kept(
    ingress: Running, admin: Connection, body: bytes, headers: dict[str, str], status: int, reason: str
) -> None:
    answered = await post(ingress.port, body, headers)
    assert answered.status == status
    assert answered.headers["connection"] == "close"
    assert ingress.seen.answers == {reason: 1}
    assert await nothing_was_kept(admin)


async def test_the_public_vectors_are_answered_as_stated(database: Database, admin: Connection) -> None:
    vector = orjson.loads(data_file("webhooks/standardwebhooks/rust_vectors.json"))
    body, at = vector["payload"].encode(), datetime.fromtimestamp(vector["timestamp"], UTC)
    endpoint = Endpoint("bank", "main", "acme", (SecretStr(vector["secret"]),))
    headers = {
        "content-type": "application/json",
        "webhook-id": vector["id"],
        "webhook-timestamp": str(vector["timestamp"]),
    }
    async with an_ingress(database.app_url, endpoints=[endpoint], now=at) as running:
        for name in ("valid_signature", "valid_multi_signature_header"):
            answered = await post(running.port, body, headers | {"webhook-signature": vector[name]})
            assert answered.status == 200
        for wrong in vector["invalid_signature_headers"]:
            answered = await post(running.port, body, headers | {"webhook-signature": wrong})
            assert answered.status == 401
    assert [row["body"] for row in await kept(admin)] == [body]


PATHS = (
    "/webhooks/bank/nobody",
    "/webhooks/nobody/main",
    "/webhooks/bank/main/",
    "/webhooks/bank",
    "/webhooks//main",
    "/webhooks/bank/main%2F..",
    "/webhooks/bank/%00",
    "/webhooks/bank/%ff",
    "/webhooks/BANK/main",
    "/webhooks/../webhooks/bank/main",
    "//webhooks/bank/main",
    "/metrics",
    "/",
)


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_whatever_is_not_there_is_not_found_in_the_same_words(
    ingress: Running, admin: Connection, method: str
) -> None:
    answers = [await send(ingress.port, request(BODY, signed(BODY), path, method)) for path in PATHS]
    assert {(one.status, one.body) for one in answers} == {(404, b"Not Found")}
    assert await nothing_was_kept(admin)
    assert ingress.seen.providers == {"unknown"}


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_only_posts_are_taken(ingress: Running, method: str) -> None:
    answered = await send(ingress.port, request(BODY, signed(BODY), method=method))
    assert (answered.status, answered.headers["allow"]) == (405, "post")


@pytest.mark.parametrize(
    "raw", [b"\r\n" * 3 + b"\x16\x03\x01", b"GET\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]
)
async def test_what_is_no_http_is_answered_with_400_or_not_at_all(ingress: Running, raw: bytes) -> None:
    assert (await send(ingress.port, raw)).status in {0, 400}


@pytest.mark.parametrize("length", ["-1", "+5", "1e3", "0x10", "5, 6", "\u00b2", "9" * 40])
async def test_a_length_that_is_none_is_refused(ingress: Running, admin: Connection, length: str) -> None:
    raw = request(BODY, signed(BODY) | {"content-length": length}, declared=False)
    assert (await send(ingress.port, raw)).status in {400, 413}
    assert await nothing_was_kept(admin)


async def test_two_framings_of_one_body_are_refused(ingress: Running, admin: Connection) -> None:
    for extra in ({"transfer-encoding": "chunked"}, {"Content-Length": "3"}):
        assert (await send(ingress.port, request(BODY, signed(BODY) | extra))).status == 400
    assert await nothing_was_kept(admin)


async def test_a_body_that_says_it_is_too_large_is_not_read(ingress: Running, admin: Connection) -> None:
    raw = request(b"", signed(BODY) | {"content-length": str(2**20 + 1)}, declared=False)
    assert (await send(ingress.port, raw)).status == 413
    assert ingress.seen.answers == {"body_too_large": 1}
    assert await nothing_was_kept(admin)


async def test_a_body_that_becomes_too_large_is_left(ingress: Running, admin: Connection) -> None:
    raw = request(b"", signed(BODY) | {"transfer-encoding": "chunked"}, declared=False)
    mebibyte = b"%x\r\n%b\r\n" % (2**20, b" " * 2**20)
    assert (await send(ingress.port, raw + mebibyte + b"1\r\n \r\n")).status == 413
    assert await nothing_was_kept(admin)


async def test_a_body_that_trickles_is_left(database: Database, admin: Connection) -> None:
    async with (
        an_ingress(database.app_url, Limits(body_within_s=0.3)) as running,
        connected(running.port) as (reader, writer),
    ):
        writer.write(request(BODY, signed(BODY))[:-1])
        assert (await answer(reader)).status == 408
        assert running.seen.answers == {"body_too_slow": 1}
    assert await nothing_was_kept(admin)


async def test_a_sender_that_hangs_up_leaves_nothing(ingress: Running, admin: Connection) -> None:
    async with connected(ingress.port) as (_, writer):
        writer.write(request(BODY, signed(BODY))[:-1])
        await writer.drain()

    async def noticed() -> bool:
        return ingress.seen.hung_up == 1

    await until(noticed)
    assert await nothing_was_kept(admin)


@pytest.mark.parametrize("said", [b"", b"\r\n", b"POST /webhooks/bank/main HTTP/1.1\r\nhost: x\r\nx-slow: "])
async def test_a_connection_that_does_not_ask_is_closed(database: Database, said: bytes) -> None:
    async with (
        an_ingress(database.app_url, Limits(head_within_s=0.3)) as running,
        connected(running.port) as (reader, writer),
    ):
        writer.write(said)
        assert await answer(reader) == NOTHING
        assert running.seen.drops["head_too_slow"] >= 1


async def test_after_an_answer_the_next_request_has_to_come_in_time_too(database: Database) -> None:
    async with (
        an_ingress(database.app_url, Limits(head_within_s=0.3)) as running,
        connected(running.port) as (reader, writer),
    ):
        writer.write(request(BODY, signed(BODY)))
        assert (await answer(reader)).status == 200
        writer.write(b"POST /")
        assert await answer(reader) == NOTHING


@pytest.mark.parametrize("start", [b"GET /", b"GET / HTTP/1.1\r\nx: ", b"GET / HTTP/1.1\r\n"])
async def test_headers_without_end_are_cut_off(ingress: Running, start: bytes) -> None:
    more = b"x: y\r\n" if start.endswith(b"\n") else b"x"
    async with connected(ingress.port) as (reader, writer):
        writer.write(start + more * 400_000)
        assert (await answer(reader)).status in {0, 400}


async def test_silent_connections_take_nobodys_place(database: Database) -> None:
    silent = 80
    async with an_ingress(database.app_url, Limits(connections=20)) as running:
        held = [await asyncio.open_connection("127.0.0.1", running.port) for _ in range(silent)]
        for number in range(30):
            body = note(f"evt_{number}")
            assert (await post(running.port, body, signed(body))).status == 200
        assert running.seen.drops["too_many"] >= silent - 20
        for _, writer in held:
            writer.transport.abort()


async def test_more_bodies_than_there_is_room_for_are_to_come_again(
    database: Database, admin: Connection
) -> None:
    big = note("evt_1") + b" " * 50_000
    async with an_ingress(database.app_url, Limits(held_bytes=80_000)) as running:
        async with connected(running.port) as (_, writer):
            writer.write(request(big, signed(big))[:-1])  # takes its room, and does not end

            async def no_room() -> bool:
                other = big + b"\n"
                answered = await post(running.port, other, signed(other))
                return (answered.status, answered.headers.get("retry-after")) == (503, "5")

            await until(no_room)

        async def room_again() -> bool:
            return (await post(running.port, big, signed(big))).status == 200

        await until(room_again)
    assert {row["body"] for row in await kept(admin)} <= {big, big + b"\n"}


def test_a_flood_of_refusals_fills_no_log() -> None:
    now = [0.0]
    lines: list[tuple[str, int]] = []

    class Counting(RefusalLog):
        """Remembers what would be written."""

        def add(self, source: str, reason: str, detail: str) -> None:
            before = dict(self._said)
            super().add(source, reason, detail)
            if self._said[source, reason][1] == 0:
                lines.append((reason, before.get((source, reason), (0.0, 0))[1] + 1))

    refusals = Counting(lambda: now[0])
    for _ in range(1000):
        refusals.add(PATH, "signature_mismatch", "no signature fits")
    assert lines == [("signature_mismatch", 1)]
    now[0] += SAY_EVERY_S
    refusals.add(PATH, "signature_mismatch", "no signature fits")
    assert lines == [("signature_mismatch", 1), ("signature_mismatch", 1000)]


@pytest.mark.parametrize(
    ("endpoints", "complaint"),
    [
        ([Endpoint("nobody", "main", "acme", (NEW,))], r"/webhooks/nobody/main: provider is none of bank"),
        ([Endpoint("bank", "main", "acme", ())], r"/webhooks/bank/main: secrets is empty"),
        (
            [Endpoint("bank", "main", "acme", (NEW, SecretStr("whsec_$ecret")))],
            r"/webhooks/bank/main: secrets\[1\]: .*base64",
        ),
        ([BANK, BANK], r"/webhooks/bank/main is configured twice"),
    ],
)
def test_an_endpoint_that_cannot_work_is_told_by_name(endpoints: list[Endpoint], complaint: str) -> None:
    with pytest.raises(EndpointError, match=complaint) as told_so:
        served(endpoints, {"bank": Bank()})
    assert "$ecret" not in str(told_so.value)
