"""A genuine webhook is kept as it came, told in our words, and only then answered; a repeat is no second one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg
import orjson
import pytest
from pydantic import TypeAdapter

from db.queries import webhooks as sql
from producers.ingress.limits import Limits
from producers.ingress.publishing import TOPIC
from producers.providers.webhooks import Endpoint, Unreadable
from schemas.topics import TOPICS
from schemas.webhook import WebhookMessage
from tests.producers.ingress.bank import NEW, OLD, OTHER_ACCOUNT, PATH, Bank, note, signed
from tests.producers.ingress.books import kept, told, told_ids
from tests.producers.ingress.conftest import Running, an_ingress
from tests.producers.ingress.post import answer, chunks, connected, post, request, send

if TYPE_CHECKING:
    from tests.conftest import Connection, Database

CONTRACT: TypeAdapter[Any] = TypeAdapter(TOPICS[TOPIC].inbound)
SECRETS = {"Authorization": "Bearer s3cret", "Cookie": "a=s3cret", "X-Api-Key": "s3cret", "X-Auth": "s3cret"}


async def test_it_is_kept_as_it_came_and_told_in_our_words(ingress: Running, admin: Connection) -> None:
    body = b'{ "events" :' + note("evt_1", "evt_2")[len(b'{"events":') :]
    headers = signed(body) | SECRETS
    answered = await post(ingress.port, body, headers)
    assert (answered.status, answered.body) == (200, b"[accepted]")
    [row] = await kept(admin)
    assert (row["tenant"], row["provider"], row["account"]) == ("acme", "bank", "main")
    assert (row["body"], row["body_sha256"]) == (body, sha256(body).digest())
    assert (row["event_ids"], row["unreadable"]) == ("evt_1\nevt_2", None)
    messages = await told(admin)
    for message, event_id in zip(messages, ("evt_1", "evt_2"), strict=True):
        assert (message["key"], message["id"]) == ("acme:order-1", event_id)
        assert (message["tenant"], message["source"]) == ("acme", PATH)
        assert message["data"]["webhook_id"] == str(row["webhook_id"])
        CONTRACT.validate_json(orjson.dumps(message))


async def test_signatures_are_kept_and_credentials_are_not(ingress: Running, admin: Connection) -> None:
    body = note("evt_1")
    headers = signed(body)
    assert (await post(ingress.port, body, headers | SECRETS)).status == 200
    [row] = await kept(admin)
    assert "s3cret" not in str(row["headers"])
    found = dict(row["headers"])
    assert {found[name.lower()] for name in SECRETS} == {"[removed]"}
    assert found["webhook-signature"] == headers["webhook-signature"]
    assert found["content-type"] == "application/json"


async def test_while_secrets_are_rotated_both_are_good(ingress: Running, admin: Connection) -> None:
    for event_id, secret in (("evt_old", OLD), ("evt_new", NEW)):
        body = note(event_id)
        assert (await post(ingress.port, body, signed(body, secret))).status == 200
    assert len(await kept(admin)) == 2


async def test_the_same_request_again_is_neither_kept_nor_told_twice(
    ingress: Running, admin: Connection
) -> None:
    body = note("evt_1")
    for _ in range(3):
        assert (await post(ingress.port, body, signed(body))).status == 200
    assert len(await kept(admin)) == 1
    assert await told_ids(admin) == {"evt_1": 1}
    assert ingress.seen.answers == {"new": 1, "repeated": 2}


async def test_fifty_copies_at_once_are_one(ingress: Running, admin: Connection) -> None:
    body = note("evt_1")
    answers = await asyncio.gather(*(post(ingress.port, body, signed(body)) for _ in range(50)))
    assert {one.status for one in answers} == {200}
    assert await told_ids(admin) == {"evt_1": 1}
    assert ingress.seen.answers == {"new": 1, "repeated": 49}


async def test_two_ingresses_that_get_the_same_copies_tell_each_once(
    database: Database, ingress: Running, admin: Connection
) -> None:
    bodies = [note(f"evt_{number}") for number in range(60)]
    async with an_ingress(database.app_url) as second:
        posts = [post(ingress.port, body, signed(body)) for body in bodies]
        posts += [post(second.port, body, signed(body)) for body in reversed(bodies)]
        assert {one.status for one in await asyncio.gather(*posts)} == {200}
    assert await told_ids(admin) == {f"evt_{number}": 1 for number in range(60)}


async def test_an_event_told_again_in_other_words_is_the_same_message(
    ingress: Running, admin: Connection
) -> None:
    first = note("evt_1")
    again = orjson.dumps(orjson.loads(first) | {"pending_webhooks": 0})
    for body in (first, again):
        assert (await post(ingress.port, body, signed(body))).status == 200
    assert [row["body"] for row in await kept(admin)] == [first, again]
    one, other = await told(admin)
    assert one == other


async def test_each_account_is_its_own_tenants(ingress: Running, admin: Connection) -> None:
    body = note("evt_1")
    assert (await post(ingress.port, body, signed(body), "/webhooks/bank/side")).status == 200
    assert (await post(ingress.port, body, signed(body))).status == 200
    assert {(row["tenant"], row["account"]) for row in await kept(admin)} == {
        ("acme", "main"),
        ("globex", "side"),
    }
    assert {(m["tenant"], m["source"], m["key"]) for m in await told(admin)} == {
        ("acme", "/webhooks/bank/main", "acme:order-1"),
        ("globex", "/webhooks/bank/side", "globex:order-1"),
    }
    counts = await sql.kept(admin, tenant="globex", provider="bank", account="side")
    assert dict(counts) == {"webhooks": 1, "events": 1, "unreadable": 0}


UNREADABLE = {
    "empty": b"",
    "one byte": b"7",
    "no UTF-8": b'{"events":"\xff\xfe"}',
    "a NUL": b'{"events":"\x00"}',
    "not JSON": b"<xml/>",
    "nested deeply": b"[" * 200_000,
    "many numbers": b"[" + b"1," * 200_000 + b"1]",
    "a huge number": b'{"events":' + b"9" * 100_000 + b"}",
    "a lone surrogate": b'{"events":[{"id":"\\ud800","type":"t","order":"o","at":"2026-01-01T00:00:00Z"}]}',
    "an id of ours twice": note("evt_1", "evt_1"),
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
async def test_what_is_genuine_and_unreadable_is_kept_told_as_unrecognized_and_accepted(
    ingress: Running, admin: Connection, body: bytes
) -> None:
    assert (await post(ingress.port, body, signed(body))).status == 200
    [row] = await kept(admin)
    assert row["body"] == body
    assert row["unreadable"]
    [message] = await told(admin)
    assert message["type"] == "webhook.unrecognized.v1"
    assert message["id"] == message["data"]["webhook_id"] == str(row["webhook_id"])
    CONTRACT.validate_json(orjson.dumps(message))
    assert ingress.seen.answers == {"unreadable": 1}


async def test_an_event_of_a_type_that_nobody_knows_is_told_as_unrecognized(
    ingress: Running, admin: Connection
) -> None:
    body = note("evt_1", kind="balance.surprised")
    assert (await post(ingress.port, body, signed(body))).status == 200
    [message] = await told(admin)
    assert (message["type"], message["data"]["provider_type"]) == (
        "webhook.unrecognized.v1",
        "balance.surprised",
    )


async def test_a_genuine_webhook_that_says_nothing_is_kept(ingress: Running, admin: Connection) -> None:
    body = note()
    assert (await post(ingress.port, body, signed(body))).status == 200
    assert [row["body"] for row in await kept(admin)] == [body]
    assert await told(admin) == []


class Broken(Bank):
    """A reader with a bug, or that speaks for somebody else."""

    def __init__(self, other: Endpoint | None = None) -> None:
        self._other = other

    def read(
        self, body: bytes, endpoint: Endpoint, webhook_id: UUID
    ) -> Sequence[WebhookMessage] | Unreadable:
        """Wrongly."""
        if self._other is None:
            raise ZeroDivisionError(endpoint.account)
        return super().read(body, self._other, webhook_id)


@pytest.mark.parametrize("scheme", [Broken(), Broken(OTHER_ACCOUNT)])
async def test_a_readers_bug_loses_nothing_and_speaks_for_nobody_else(
    database: Database, admin: Connection, scheme: Broken
) -> None:
    body = note("evt_1")
    async with an_ingress(database.app_url, scheme=scheme) as running:
        assert (await post(running.port, body, signed(body))).status == 200
    [row] = await kept(admin)
    assert (row["body"], row["tenant"]) == (body, "acme")
    assert row["unreadable"].startswith("reader ")
    [message] = await told(admin)
    assert (message["type"], message["tenant"]) == ("webhook.unrecognized.v1", "acme")


async def test_a_body_may_come_in_chunks_of_any_size(ingress: Running, admin: Connection) -> None:
    body = note("evt_1")
    raw = request(b"", signed(body) | {"transfer-encoding": "chunked"}, declared=False)
    for parts in ([bytes([one]) for one in body], [body], [body[:7], body[7:]]):
        assert (await send(ingress.port, raw + chunks(*parts))).status == 200
    assert [row["body"] for row in await kept(admin)] == [body]


async def test_the_largest_body_is_accepted(database: Database, admin: Connection) -> None:
    body = note("evt_1") + b" " * 100_000
    async with an_ingress(database.app_url, Limits(body_bytes=len(body))) as running:
        assert (await post(running.port, body, signed(body))).status == 200
        assert (await post(running.port, body + b" ", signed(body + b" "))).status == 413
    assert [row["body"] for row in await kept(admin)] == [body]


async def test_a_connection_may_be_used_again(ingress: Running, admin: Connection) -> None:
    bodies = [note(f"evt_{number}") for number in range(5)]
    async with connected(ingress.port) as (reader, writer):
        for body in bodies:
            writer.write(request(body, signed(body)))
            assert (await answer(reader)).status == 200
        writer.write(b"".join(request(body, signed(body)) for body in bodies))  # without waiting
        assert [(await answer(reader)).status for _ in bodies] == [200] * 5
    assert len(await kept(admin)) == 5


async def test_headers_are_found_however_they_are_written(ingress: Running, admin: Connection) -> None:
    body = note("evt_1")
    headers = {f" {name.upper()}".strip(): f"  {value}  " for name, value in signed(body).items()}
    headers["CONTENT-TYPE"] = "Application/CloudEvents+JSON; charset=utf-8"
    assert (await post(ingress.port, body, headers)).status == 200
    assert len(await kept(admin)) == 1


async def test_raw_rows_cannot_be_changed_by_anybody(ingress: Running, database: Database) -> None:
    body = note("evt_1")
    assert (await post(ingress.port, body, signed(body))).status == 200
    superuser = await asyncpg.connect(database.admin_url)
    await superuser.execute("SET session_replication_role = replica")
    application = await asyncpg.connect(database.app_url)
    for statement in ("UPDATE webhooks SET tenant = 'x'", "DELETE FROM webhooks", "TRUNCATE webhooks"):
        with pytest.raises(asyncpg.RestrictViolationError):
            await superuser.execute(statement)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await application.execute(statement)
    with pytest.raises(asyncpg.CheckViolationError):
        await superuser.execute(
            "INSERT INTO webhooks SELECT tenant, webhook_id, '\\x00', provider, account, received_at, headers, body,"
            " event_ids FROM webhooks"
        )
    await superuser.close()
    await application.close()
