"""What is published about refunds is what the schemas promise, entries and refusals included."""

from __future__ import annotations

from typing import Final

from handlers.refunds.postings import RULES
from schemas.notification import NOTIFICATION_REQUESTED
from schemas.refund import REFUND_EVENT_TYPES
from schemas.topics import TOPIC_OF_TYPE
from tests.contract.test_events import promised_and_published
from tests.handlers.refunds.matrix import cells, played
from tests.handlers.refunds.scene import Scene, authorized, paid, paid_in_cash

COLLECTIONS: Final = ("cash_on_delivery", "point_of_sale", "bank_transfer")


def scenes() -> list[Scene]:
    """Every message in every situation, and ways of paying and of giving back that are not among them."""
    found = [played(situation, message)[0] for situation, message, _ in cells()]
    found += [paid().refund(500, destination="service_credit")]
    found += [paid().refund(500, cause="goodwill").answer("call_declined")]
    found += [authorized().report("succeeded", None, amount_minor=1).report("failed", None, after=60)]
    found += [authorized().report("succeeded", None).report("failed", None, after=60)]
    return found


def test_every_event_is_what_its_schema_promises() -> None:
    events = {
        (event.type, event.data): event
        for scene in scenes()
        for event in scene.events
        if not event.type.startswith("payment.")
    }
    for event in events.values():
        published = promised_and_published(event.type, event.data)
        if event.type != NOTIFICATION_REQUESTED:
            assert published["data"]["state"] in {event.type.split(".")[1], event.data.state}
            assert TOPIC_OF_TYPE[event.type] == "refund.events"
    assert {kind for kind, _ in events} == {*REFUND_EVENT_TYPES, NOTIFICATION_REQUESTED}


def test_every_way_of_paying_has_its_way_back() -> None:
    used = {posting.rule for scene in scenes() for posting in scene.postings}
    for collection in COLLECTIONS:
        scene = paid_in_cash(collection=collection).refund(role="manager")
        scene.send("refund_recorded", handed_out=False).refund(refund_id="r-2", role="manager")
        scene.send("refund_recorded", refund_id="r-2").send("refund_recorded")
        assert (scene.of("r-2").suspense_minor, scene.of("r-1").suspense_minor) == (0, 1999)
        used |= {posting.rule for posting in scene.postings}
    assert {rule.name for rule in RULES if not rule.name.endswith("_bank_debit")} <= used
