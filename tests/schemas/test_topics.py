"""The registry: every topic has what Kafka and a reader need to know, and every message has one home."""

from __future__ import annotations

from collections import Counter
from typing import Final

import pytest

from handlers.payments.states import State
from ops.contracts.json_schemas import message_types
from schemas.payment import PAYMENT_EVENT_TYPES
from schemas.topics import (
    COMMAND_REPEATED,
    GROUP,
    INBOUND,
    REPEATED,
    TOPIC_OF_TYPE,
    TOPICS,
    Topic,
    dead_letter_topic,
)

# fmt: off
DESIGN: Final = [
    ("checkout.events",       "in",       "tenant:order (tenant:merchant for fee schedules, tenant:refund_policy)"),
    ("ledger.commands",       "in",       "tenant:journal, tenant:wallet, tenant:periods"),
    ("provider.results",      "internal", "tenant:order"),
    ("webhook.events",        "internal", "tenant:order (tenant:provider's reference where the order is not named)"),
    ("timer.events",          "internal", "tenant:order"),
    ("payment.events",        "out",      "tenant:payment"),
    ("refund.events",         "out",      "tenant:payment"),
    ("dispute.events",        "out",      "tenant:payment"),
    ("period.events",         "out",      "tenant:period"),
    ("account.events",        "out",      "tenant:journal, tenant:hold, tenant:wallet"),
    ("notification.requests", "out",      "tenant:order (tenant:period)"),
    ("ledger.entries",        "out",      "tenant:object"),
    ("rejections",            "out",      "tenant:object"),
]
# fmt: on


@pytest.mark.parametrize(("name", "direction", "key"), DESIGN)
def test_a_topic_of_the_design_is_there(name: str, direction: str, key: str) -> None:
    topic = TOPICS[name]
    assert (topic.name, topic.direction, topic.key) == (name, direction, key)


def test_every_topic_that_we_read_has_a_dead_letter_topic_and_no_other_has() -> None:
    dead = {topic.name for topic in TOPICS.values() if topic.direction == "dead"}
    assert dead == {dead_letter_topic(name) for name in INBOUND}
    assert dead_letter_topic("checkout.events") == f"checkout.events.{GROUP}.dlq"
    assert {name for name, _, _ in DESIGN} | dead == set(TOPICS)


@pytest.mark.parametrize("topic", TOPICS.values(), ids=lambda topic: topic.name)
def test_a_topic_is_read_or_written_by_schema(topic: Topic) -> None:
    assert (topic.inbound is None) is (topic.direction in {"out", "dead"})
    assert bool(topic.outbound) is (topic.inbound is None)
    assert topic.partitions >= 1
    assert topic.retention_ms >= 7 * 86_400_000


def test_what_is_written_has_one_home() -> None:
    homes = Counter(
        name for topic in TOPICS.values() if topic.direction == "out" for name in topic.outbound or {}
    )
    assert set(homes) == set(TOPIC_OF_TYPE)
    assert set(homes.values()) == {1}


def test_every_state_of_a_payment_is_told() -> None:
    states = {f"payment.{state}.v1" for state in State}
    assert set(PAYMENT_EVENT_TYPES) == {
        *states,
        "payment.outcome_unknown.v1",
        "payment.authorization_expiring.v1",
    }
    assert TOPIC_OF_TYPE[COMMAND_REPEATED] == "payment.events"


@pytest.mark.parametrize("topic", ["checkout.events", "ledger.commands"])
def test_every_command_s_repeat_is_answered_by_an_event_of_the_registry(topic: str) -> None:
    for command in message_types()[topic]:
        answer = REPEATED[command]
        home = TOPICS[TOPIC_OF_TYPE[answer]]
        assert (home.name == "payment.events") is (topic == "checkout.events")
        about = answer.split(".")[0]
        assert any(name.startswith(f"{about}.") for name in home.outbound or {} if name != answer)
    assert set(REPEATED.values()) == {
        name for names in message_types().values() for name in names if name.endswith(".command_repeated.v1")
    }
