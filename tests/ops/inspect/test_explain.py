"""Explanations reach back to the words that came in and forward to the events that went out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from db.connection import connect
from handlers.payments.model import payment_id_of
from ops.inspect.explain import Shown, explain_balance, explain_entry, explain_event, explain_payment
from tests.ops.busy import marketplace
from tests.ops.checks.traffic import sale
from tests.ops.inspect.trees import texts, walk
from tests.shop import TENANT, capture

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Connection, Database
    from tests.ops.inspect.conftest import Commands, PointedAt


async def test_a_payments_story_is_whole_and_in_order(reader: Connection) -> None:
    (node,) = await explain_payment(reader, "k4")
    assert f"payment {payment_id_of(TENANT, 'k4')} of order k4 at merchant m1 (acme): succeeded" in node.text
    steps = [text.split(" (")[0].removeprefix("was ") for text in texts(node, "transition")]
    assert steps == [
        "became processing",
        "processing, became authorized",
        "authorized, became captured",
        "captured, became captured",
        "captured, became succeeded",
    ]
    assert [text.split(":")[0] for text in texts(node, "call")] == [
        "asked sandbox to authorize 25.00 EUR",
        "asked sandbox to capture 10.00 EUR",
        "asked sandbox to capture 15.00 EUR",
    ]
    published = [text.split(" to ")[0] for text in texts(node, "published")]
    assert published.count("ledger.entry_posted.v1") == 2
    assert published.count("payment.captured.v1") == 2
    assert published[-1] == "payment.succeeded.v1"
    assert all(": published (" in text for text in texts(node, "published"))


async def test_a_payments_money_is_in_words(reader: Connection) -> None:
    (node,) = await explain_payment(reader, "o3")
    assert texts(node, "amounts") == [
        "12.345 KWD asked, 12.345 KWD authorized, 12.345 KWD captured by point_of_sale"
    ]
    assert "fee 0.429 KWD: 2.5% + 0.120 KWD a capture, schedule version 1" in texts(node, "fee")[0]
    assert [text.split() for text in texts(node, "line")] == [
        ["debit", "12.345", "KWD", "terminal_receivable", "of", "point_of_sale"],
        ["credit", "11.916", "KWD", "merchant_payable", "of", "m1"],
        ["credit", "0.429", "KWD", "platform_fee_revenue", "of", "acme"],
    ]


async def test_a_refusal_says_what_to_do(reader: Connection) -> None:
    (node,) = await explain_payment(reader, str(payment_id_of(TENANT, "k2")))
    assert texts(node, "reason")[0].startswith("insufficient_funds: Ask for another method")


async def test_messages_are_word_for_word_with_their_place(reader: Connection) -> None:
    (node,) = await explain_payment(reader, "o1")
    assert texts(node, "body") == [sale("s1", "o1").decode()]
    assert "received" in texts(node, "message")[0]
    assert "at checkout.events/0/1: applied" in texts(node, "message")[0]


async def test_with_everything_also_what_changed_nothing_is_told(reader: Connection) -> None:
    (brief,) = await explain_payment(reader, "o1")
    (whole,) = await explain_payment(reader, "o1", everything=True)
    assert len(texts(brief, "message")) == 1
    assert [text.split()[1] for text in texts(whole, "message")] == ["s1", "s4"]
    assert "rejected (order_already_has_payment" in texts(whole, "message")[1]
    assert any(text.startswith("rejection.issued.v1") for text in texts(whole, "published"))


async def test_an_event_tells_of_the_other_body_under_its_id(reader: Connection) -> None:
    (node,) = await explain_event(reader, "s1")
    assert "another body under this id at checkout.events/0/3" in texts(node, "conflict")[0]
    assert texts(node, "body")[-1] == sale("s1", "o1", 5).decode()
    assert [text.split(":")[0] for text in texts(node, "entry")] != []


async def test_an_event_of_ours_leads_back_to_what_came_in(reader: Connection) -> None:
    (incoming,) = await explain_event(reader, "s2")
    told = next(node for node in walk(incoming) if node.kind == "published")
    (node,) = await explain_event(reader, told.facts["event"]["id"])
    assert node.text == told.text
    assert "s2 of /shops/a" in texts(node, "message")[0]


async def test_two_sources_that_use_one_id_are_not_mixed_up(spare: Database) -> None:
    async with marketplace(spare, partition=1) as market:
        other = sale("s9", "b9", 700).replace(b'"/shops/a"', b'"/shops/b"')
        await market.receive(sale("s9", "a9", 500), other)
    reader = await connect(spare.read_url, application="test")
    nodes = {node.facts["source"]: node for node in await explain_event(reader, "s9")}
    await reader.close()
    orders = {}
    for source, node in nodes.items():
        events = [found.facts["event"]["data"] for found in walk(node) if found.kind == "published"]
        orders[source] = {data["order_id"] for data in events if "order_id" in data}
        assert len(events) == 2
        assert all("waits for the relay" in text for text in texts(node, "published"))
    assert orders == {"/shops/a": {"a9"}, "/shops/b": {"b9"}}


async def test_a_message_that_waits_says_for_what(spare: Database) -> None:
    async with marketplace(spare, partition=1) as market:
        await market.receive(capture("w1", "nowhere"))
    reader = await connect(spare.read_url, application="test")
    (node,) = await explain_event(reader, "w1")
    await reader.close()
    assert "order nowhere has no payment; 0 tries" in texts(node, "wait")[0]


async def test_an_entry_leads_to_its_message_and_its_event(reader: Connection) -> None:
    (node,) = await explain_entry(reader, 1)
    assert "entry 1, terminal_sale for payment" in node.text
    assert "s1 of /shops/a" in texts(node, "message")[0]
    assert [text.split(" to ")[0] for text in texts(node, "published")] == ["ledger.entry_posted.v1"]
    assert len(texts(node, "line")) == 3


async def test_a_balance_leads_to_its_last_entries(reader: Connection) -> None:
    (node,) = await explain_balance(
        reader, "merchant_payable", owner="m1", currency="EUR", shown=Shown(last=2)
    )
    assert "merchant_payable of m1 (acme): 67.35 EUR" in node.text
    assert "What we owe a merchant." in node.text
    assert [found.facts["entry_id"] for found in walk(node) if found.kind == "entry"] == [6, 5]
    assert texts(node, "rest") == ["and 2 earlier lines; see them with --last"]
    followed = [child.text for entry in node.children for child in entry.children if child.kind == "message"]
    assert len(followed) == 2
    assert all("provider.call_succeeded.v1" in text for text in followed)


async def test_a_cause_that_was_deleted_is_told_not_hidden(spare: Database) -> None:
    admin = await connect(spare.admin_url, application="intruder")
    await admin.execute("ALTER TABLE inbox DISABLE TRIGGER ALL; DELETE FROM inbox WHERE event_id = 's1'")
    (node,) = await explain_payment(admin, "o1")
    await admin.close()
    assert "s1 of /shops/a: NOT in the inbox, which breaks law 3" in texts(node, "message")


async def test_the_commands_print_a_tree_or_json(cli: Commands) -> None:
    questions: list[tuple[tuple[str, ...], str]] = [
        (("payment", "k4"), "was captured, became succeeded (complete), version 5"),
        (("balance", "processor_receivable", "--owner", "sandbox"), "50.00 EUR"),
        (("event", "s1"), '"id":"s1"'),
        (("entry", "1"), "terminal_receivable of point_of_sale"),
    ]
    for question, said in questions:
        assert said in await cli.out("explain", *question)
        (told,) = await cli.json("explain", *question)
        assert any(said in node["text"] for node in _walk_json(told))


async def test_what_is_not_there_is_an_error(cli: Commands) -> None:
    for question in (("payment", "x"), ("event", "x"), ("entry", "0"), ("balance", "x")):
        result = await cli.run("explain", *question, code=1)
        assert "counterfoil: there is no" in result.stderr


async def test_a_body_cannot_steer_the_terminal(spare: Database, pointed_at: PointedAt) -> None:
    evil = sale("e1", "e1").replace(b'"id":', b'"note":"[bold]\xc2\x9b2J","id":')
    async with marketplace(spare, partition=1) as market:
        await market.receive(evil)
    shown = await pointed_at(spare).out("explain", "event", "e1")
    assert '"note":"[bold]\\x9b2J"' in shown


def _walk_json(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node["children"]:
        yield from _walk_json(child)
