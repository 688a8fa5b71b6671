"""Every event of journals, wallets and holds, and every notice about them, is what its schema promises."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from handlers.journals.model import journal_uuid_of
from handlers.wallets.model import grant_uuid_of, hold_uuid_of
from ops.contracts.json_schemas import json_schemas
from schemas.journal import JOURNAL_EVENT_TYPES
from schemas.topics import TOPIC_OF_TYPE
from schemas.wallet import HOLD_EVENT_TYPES, WALLET_EVENT_TYPES
from tests.books import (
    WALLET,
    approve,
    conversion,
    credited,
    due,
    granted,
    held,
    hold_posted,
    hold_voided,
    journal,
    limited,
    opened,
    pair,
    part,
    refuse,
    reversal,
    spent,
)
from tests.desk import TIMERS, Desk
from tests.shop import TENANT

AT = "2027-01-01T00:00:00+00:00"
J1 = str(journal_uuid_of(TENANT, "j1"))


def lives() -> list[dict[str, Any]]:
    """All that lives of every kind publish."""
    desk = Desk()
    told: list[dict[str, Any]] = []

    def send(body: bytes, topic: str = "ledger.commands") -> None:
        assert desk.send(body, topic) == "applied"
        told.extend(desk.published())

    for body in (
        journal("j1"), approve("j1"), journal("j2", parts=2), part("j2", 2, pair()), refuse("j2"), journal("j3"),
        reversal("r1", J1), approve("r1", reverses={"object_id": J1, "number": 1}), conversion("x1"), approve("x1"),
        opened(), credited("c1", 1000), limited("l1", 1, 5), granted("g1", 50, AT), spent("s1", 10),
        held("h1", 100), hold_posted("p1", "h1", 10, final=False), hold_posted("p2", "h1"), held("h2", 9),
        hold_voided("v2", "h2"), held("h3", 7), granted("g2", 5, AT),
    ):  # fmt: skip
        send(body)
    desk.now = desk.now.replace(year=2028)
    for kind, object_id, name in (
        ("hold_expiry", hold_uuid_of(TENANT, WALLET, "h3"), WALLET),
        ("promotion_expiry", grant_uuid_of(TENANT, WALLET, "g2"), WALLET),
        ("journal_expiry", journal_uuid_of(TENANT, "j3"), "j3"),
    ):
        send(due(kind, str(object_id), name, AT), TIMERS)
    return told


TOLD = lives()


def test_every_type_is_told() -> None:
    types = {event["type"] for event in TOLD}
    assert {*JOURNAL_EVENT_TYPES, *HOLD_EVENT_TYPES, *WALLET_EVENT_TYPES} <= types


@pytest.mark.parametrize("event", TOLD, ids=lambda event: f"{event['type']} {event['id'][:6]}")
def test_what_is_told_is_what_was_promised(event: dict[str, Any]) -> None:
    assert event["type"] in TOPIC_OF_TYPE
    Draft202012Validator(json_schemas()[event["type"]]).validate(event)
