"""`counterfoil publish`: what it takes, what it refuses and how it says so, and under which key it publishes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from uuid import uuid4

import orjson
import pytest
from typer.testing import CliRunner

from ops.cli.publish import commands
from ops.demo.readback import records_of
from producers.client import InvalidEventError, key_of, likely_key
from tests.shop import fees, request, sale

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result

TOPIC = "checkout.events"


@pytest.fixture
def order() -> str:
    """An order that no other test publishes about; the broker is everybody's."""
    return f"order-{uuid4().hex}"


@pytest.fixture
def use_kafka(kafka: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", kafka)
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    return kafka


async def run(*arguments: str, given: bytes | None = None) -> Result:
    """The command as typed, in a thread, for it has an event loop of its own."""
    return await asyncio.to_thread(lambda: CliRunner().invoke(commands, list(arguments), input=given))


async def published_about(kafka: str, order: str) -> list[tuple[bytes | None, bytes | None]]:
    """Key and body of the records that name the order."""
    return [
        (record.key, record.value)
        async for record in records_of(kafka, [TOPIC])
        if order.encode() in (record.value or b"")
    ]


@pytest.mark.usefixtures("use_kafka")
async def test_a_file_is_published_line_by_line_under_the_orders_key(
    kafka: str, tmp_path: Path, order: str
) -> None:
    bodies = [request("e1", order), sale("e2", order)]
    file = tmp_path / "events.ndjson"
    file.write_bytes(b"\n".join([bodies[0], b"", bodies[1]]))
    result = await run(str(file))
    assert result.exit_code == 0, result.output
    assert "2 published, 0 refused" in result.output
    assert await published_about(kafka, order) == [(f"acme:{order}".encode(), body) for body in bodies]


@pytest.mark.usefixtures("use_kafka")
async def test_a_line_that_nobody_could_read_is_named_and_left_out(kafka: str, order: str) -> None:
    good, wrong = sale("e1", order), orjson.loads(sale("e2", order))
    wrong["data"]["amount"]["amount_minor"] = "19.99"
    result = await run("-", given=b"\n".join([orjson.dumps(wrong), b"{", good]) + b"\n")
    assert result.exit_code == 1
    assert "-:1: data.amount.amount_minor: " in result.output
    assert "-:2: message: " in result.output
    assert "19.99" not in result.output
    assert "1 published, 2 refused" in result.output
    assert [body for _, body in await published_about(kafka, order)] == [good]


@pytest.mark.usefixtures("use_kafka")
async def test_without_validation_everything_goes_through(kafka: str, order: str) -> None:
    broken = b'{"order_id": "' + order.encode() + b'"'
    wrong = orjson.dumps({"tenant": "acme", "data": {"order_id": order}})
    result = await run("-", "--no-validate", given=broken + b"\n" + wrong)
    assert result.exit_code == 0, result.output
    # One without a key goes to any partition, and partitions have no order among each other.
    assert set(await published_about(kafka, order)) == {(None, broken), (f"acme:{order}".encode(), wrong)}


@pytest.mark.usefixtures("use_kafka")
async def test_a_topic_that_is_not_inbound_and_a_file_that_is_not_there_are_told(tmp_path: Path) -> None:
    for arguments in (["-", "--topic", "ledger.entries"], [str(tmp_path / "missing.ndjson")]):
        result = await run(*arguments)
        assert result.exit_code == 2
        unwrapped = "".join(line.strip("│ ") for line in result.output.splitlines())
        assert arguments[-1] in unwrapped.replace(" ", "")


def test_the_client_refuses_what_would_become_a_dead_letter_and_names_each_field() -> None:
    event = orjson.loads(request("e1", "order-1"))
    event["data"]["amount_in_cents"] = 1
    del event["tenant"]
    with pytest.raises(InvalidEventError) as refused:
        key_of(TOPIC, orjson.dumps(event))
    assert {field for field, _ in refused.value.problems} == {"tenant", "data.amount_in_cents"}
    with pytest.raises(InvalidEventError, match="the limit is"):
        key_of(TOPIC, sale("e1", "order-1").ljust(300_000))


@pytest.mark.parametrize(
    ("body", "key"),
    [
        (request("e1", "order-1"), b"acme:order-1"),
        (fees(merchant="m7"), b"acme:m7"),
        (b'{"tenant": "acme", "data": {}}', None),
        (b'{"tenant": "acme", "data": 7}', None),
        (b'{"tenant": 7, "data": {"order_id": ["x"]}}', b"7:['x']"),
        (b"[]", None),
        (b"{", None),
        (b"\xff", None),
    ],
)
def test_the_likely_key_of_anything_at_all(body: bytes, key: bytes | None) -> None:
    assert likely_key(body) == key
