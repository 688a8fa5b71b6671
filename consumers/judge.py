"""One message against the world: what becomes of it. Command keys first, then the rule, which may raise."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import structlog

from consumers.limits import keep
from consumers.rereading import show
from consumers.world import Use, command_key, fingerprint
from db.rows import InboxRow, UsedKey
from db.writes import name_of, names_of
from handlers.decision import Decision, Rejection, Waiting
from handlers.periods.late import refused
from schemas.outgoing import encode, partition_key
from schemas.reasons import REASONS, Reason
from schemas.rejection import REJECTED, Rejected
from schemas.topics import REPEATED, TOPIC_OF_TYPE, TOPICS
from schemas.value import value

if TYPE_CHECKING:
    from datetime import datetime

    from consumers.intake import Identity, Incoming, Record
    from consumers.world import World
    from db.writes import Writes

log = structlog.get_logger()

KEY_LIFETIME: Final = timedelta(days=7)
"""How long a command's outcome is kept for repeats; as long as Kafka keeps the command."""


@value
class Verdict:
    """What became of a message. `waits_for` names the state whose change it waits for."""

    outcome: str
    reason: Reason | None = None
    detail: str | None = None
    waits_for: str | None = None

    def row(self, record: Record, identity: Identity, kind: str, key: str, now: datetime) -> InboxRow:
        """The message's inbox row."""
        return InboxRow(
            *identity,
            kind,
            key,
            record.topic,
            record.partition,
            record.offset,
            now,
            record.body,
            self.outcome,
            self.reason,
            self.detail,
        )


APPLIED: Final = Verdict("applied")
BEHIND: Final = Verdict("parked", Reason.BEHIND_PARKED, "an earlier message of the same key waits")


def judge(incoming: Incoming, world: World, writes: Writes) -> Verdict:
    """Decide, and add everything that follows to `writes`; nothing is added for a message that must wait."""
    now = world.clocks.get(incoming.cause.tenant, writes.now)
    key = command_key(incoming)
    if key is None:
        return _decide(incoming, world, writes, now)
    use = world.uses.get(key)
    own = (incoming.cause.source, incoming.cause.event_id)
    if use is not None and use.event != own and use.expires_at > writes.now:
        return _repeat(incoming, use, writes, now)
    verdict = _decide(incoming, world, writes, now)
    asked = fingerprint(incoming)
    expires_at = writes.now + KEY_LIFETIME
    world.uses[key] = Use(own, asked, verdict.outcome, verdict.reason, expires_at)
    _, operation, object_id, name = key
    writes.used_keys.append(
        UsedKey(
            incoming.cause, operation, object_id, name, asked, verdict.outcome, verdict.reason, expires_at
        )
    )
    return verdict


def judge_behind(incoming: Incoming, world: World, writes: Writes, awaited: str | None) -> Verdict:
    """A message whose key has a message that waits for `awaited`: it waits behind that one, unless it brings just that.

    A command that came before its payment would otherwise wait for a request that waits behind it.
    """
    return judge(incoming, world, writes) if awaited and _brings(incoming, world, writes, awaited) else BEHIND


def _brings(incoming: Incoming, world: World, writes: Writes, awaited: str) -> bool:
    """Whether the message makes what is awaited and not there yet. Rules are pure: asking changes nothing."""
    now = world.clocks.get(incoming.cause.tenant, writes.now)
    try:
        outcome = incoming.route.rule(*world.aggregates(incoming), incoming.message, now)
    except Exception:  # noqa: BLE001 - a rule that raises brings nothing; in its turn it is parked for that
        return False
    return isinstance(outcome, Decision) and any(
        world.is_new(state) and awaited in names_of(state) for state in outcome.states
    )


def _decide(incoming: Incoming, world: World, writes: Writes, now: datetime) -> Verdict:
    message = incoming.message
    try:
        outcome = incoming.route.rule(*world.aggregates(incoming), message, now)
    except Exception as error:
        # The one place where a bug in a rule ends: the message waits for a retry, its key's later ones behind it.
        log.exception("rule raised", event_id=message.id, type=message.type, tenant=message.tenant)
        return Verdict("parked", Reason.HANDLER_ERROR, f"{type(error).__name__}: {error}"[:500])
    bounds = world.bounds.get(message.tenant)
    if isinstance(outcome, Decision):
        fact = incoming.command is None
        outcome = refused(bounds, outcome.postings) or keep(world, message.tenant, outcome, fact=fact)
    if isinstance(outcome, Decision):
        world.advance(outcome)
        entries = len(writes.entries)
        writes.apply(incoming.cause, outcome, now, bounds)
        if world.reread:
            show(world, writes, entries)
        return APPLIED
    if isinstance(outcome, Waiting):
        return Verdict("parked", outcome.reason, outcome.detail, _waits_for(incoming, outcome))
    return reject(incoming, outcome, writes, now)


def reject(incoming: Incoming, rejection: Rejection, writes: Writes, now: datetime) -> Verdict:
    """Tell the sender why nothing was changed."""
    message = incoming.message
    info = REASONS[rejection.reason]
    told = Rejected(
        message.source,
        message.id,
        message.type,
        incoming.key,
        rejection.reason,
        rejection.detail,
        info.retryable,
        info.fault,
        info.action,
    )
    # A conflicting body is told apart from others, so that it has a rejection of its own.
    number = incoming.record.number if rejection.reason is Reason.EVENT_ID_REUSED else 0
    payload = encode(incoming.cause, REJECTED, number, incoming.key, now, told)
    writes.publish(TOPIC_OF_TYPE[REJECTED], partition_key(message.tenant, incoming.key), payload)
    return Verdict("rejected", rejection.reason, rejection.detail)


def _repeat(incoming: Incoming, use: Use, writes: Writes, now: datetime) -> Verdict:
    """A command whose key was used: the same request gets the first one's outcome, another request is refused."""
    _, first_event_id = use.event
    if use.fingerprint != fingerprint(incoming):
        detail = f"idempotency_key was used by event {first_event_id} for another request"
        return reject(incoming, Rejection(Reason.IDEMPOTENCY_KEY_REUSED, detail), writes, now)
    operation = incoming.message.type.rsplit(".", 1)[0]
    answer = REPEATED[incoming.message.type]
    topic = TOPIC_OF_TYPE[answer]
    told = (TOPICS[topic].outbound or {})[answer](
        incoming.key, operation, incoming.command or "", first_event_id, use.outcome, use.reason
    )
    payload = encode(incoming.cause, answer, 0, incoming.key, now, told)
    about: Any = answer.partition(".")[0]  # a kind of aggregates, under whose key its events go
    tenant, object_id = dict(incoming.needs).get(about) or (incoming.cause.tenant, incoming.key)
    writes.publish(topic, partition_key(tenant, str(object_id)), payload)
    return Verdict("duplicate", detail=f"repeat of event {first_event_id}")


def _waits_for(incoming: Incoming, waiting: Waiting) -> str:
    return name_of(waiting.kind, waiting.key or dict(incoming.needs)[waiting.kind])
