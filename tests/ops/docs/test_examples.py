"""What README tells people to publish can be read, and goes under the right key."""

from __future__ import annotations

import ast
import json
import tomllib
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from ops.ingress.role import SCHEMES
from ops.ingress.settings import EndpointSettings
from ops.sandbox.tokens import TOKENS
from producers.ingress.endpoints import served
from schemas.outgoing import partition_key
from schemas.topics import GROUP, TOPICS
from tests.engines import feeds, outcomes
from tests.ops.docs.pages import ROOT, blocks

if TYPE_CHECKING:
    from tests.conftest import Connection, Database

README = ROOT / "README.md"
TOPIC = "checkout.events"
BOOKS = "ledger.commands"
READERS: dict[str, TypeAdapter[Any]] = {topic: TypeAdapter(TOPICS[topic].inbound) for topic in (TOPIC, BOOKS)}
READER = READERS[TOPIC]


def key_of(body: str, topic: str = TOPIC) -> str:
    """The key that the event belongs under; ValidationError when it cannot be read."""
    message = READERS[topic].validate_json(body)
    return partition_key(message.tenant, message.data.ordering_key())


def kcat_lines(topic: str) -> list[tuple[str, str]]:
    """Keys and bodies of the example that publishes to a topic."""
    (script,) = [block for block in blocks(README, "sh") if f"-t {topic} " in block]
    assert script.startswith("kcat -P ")
    return [
        (key, body) for line in script.splitlines() for key, bar, body in [line.partition("|")] if "{" in body
    ]


def test_the_json_examples_can_be_read_and_have_the_keys_that_are_named() -> None:
    assert list(map(key_of, blocks(README, "json"))) == ["acme:corner", "acme:refund_policy", "acme:order-1"]


def test_the_example_of_a_refund_is_within_the_example_of_a_policy() -> None:
    _, policy, refund = (READER.validate_json(example).data for example in blocks(README, "json"))
    at_once, approved = policy.limits
    assert (at_once.role, at_once.with_approval_of) == (refund.actor.role, None)
    assert refund.amount_minor <= at_once.at_most_minor < approved.at_most_minor
    assert approved.with_approval_of == "manager"


def test_the_example_of_webhook_endpoints_is_served() -> None:
    (example,) = blocks(README, "toml")
    listed = tomllib.loads(example)["endpoints"]
    served([EndpointSettings.model_validate(one).endpoint() for one in listed], SCHEMES)
    (endpoint,) = listed
    assert f"/webhooks/{endpoint['provider']}/{endpoint['account']}`" in example


def test_the_kcat_example_has_readable_events_under_their_keys() -> None:
    lines = kcat_lines(TOPIC)
    assert len(lines) == 2
    for key, body in lines:
        assert key_of(body) == key


def test_the_example_to_the_books_has_readable_commands_under_their_keys() -> None:
    lines = kcat_lines(BOOKS)
    assert len(lines) == 4
    for key, body in lines:
        assert key_of(body, BOOKS) == key


async def test_the_example_to_the_books_does_what_readme_says(database: Database, admin: Connection) -> None:
    async with feeds(database.app_url, 1, BOOKS) as (books,):
        await books.take_each(*(body.encode() for _, body in kcat_lines(BOOKS)))
        await books.settle_parked(admin)
    assert set((await outcomes(admin)).values()) == {"applied"}
    rows = await admin.fetch("SELECT code, owner, balance_minor FROM account_balances ORDER BY code, owner")
    assert {(row["code"], row["owner"]): row["balance_minor"] for row in rows if row["balance_minor"]} == {
        ("bank_clearing", "main"): 1999 + 2500,
        ("prepaid_balance", "cus_7"): 2500,
        ("terminal_receivable", "point_of_sale"): -1999,
    }


def test_the_python_example_has_a_readable_event_under_its_key() -> None:
    (script,) = blocks(README, "python")
    module = ast.parse(script)
    (event,) = [node.value for node in module.body if isinstance(node, ast.Assign)]
    message = ast.literal_eval(event)
    key = key_of(json.dumps(message))
    assert message["data"]["payment_method"]["token"] in TOKENS
    assert f'"{TOPIC}"' in script
    assert f'key=b"{key}"' in script


def test_the_dead_letter_topics_are_called_as_operations_says() -> None:
    said = (ROOT / "docs" / "operations.md").read_text()
    assert f"`<topic>.{GROUP}.dlq`" in said
    assert any(topic.endswith(f".{GROUP}.dlq") for topic in TOPICS)
