"""The gateway worker: makes provider calls outside of any transaction and reports what became of them (law 6).

    claim (SKIP LOCKED, lease) -> execute, or query when the last outcome is unknown, and execute what the provider
        never saw, unless nobody waits for it any more -> classify
        -> one transaction: keep the answers verbatim, move the calls, put the results into the outbox

The call's id is the provider's idempotency key. A claim whose lease ran out (a gateway died) is unknown: it is asked
about before it is made again, with the same id.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, Protocol
from uuid import UUID

import structlog
from pydantic import TypeAdapter, ValidationError

from db.connection import UNFIT, UNREACHABLE, connect, create_pool
from db.outbox import as_lines
from db.queries import delivery as sql
from db.writes import CALLS_CHANNEL
from producers.leadership import pause
from producers.providers.base import (
    Ambiguous,
    ChallengeRequired,
    Declined,
    NotFound,
    Pending,
    ProviderRequest,
    Refused,
    Succeeded,
    Transient,
)
from schemas.outgoing import Cause, encode, partition_key
from schemas.reasons import Reason
from schemas.topics import TOPICS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import asyncpg

    from db.connection import Pool
    from producers.providers.base import Provider, ProviderAnswer

log = structlog.get_logger()

TOPIC: Final = "provider.results"
SOURCE: Final = "/counterfoil/gateway"
CONCURRENT_CALLS: Final = 16
"""To one provider, by one gateway."""
GATHER_S: Final = 0.005
"""With all places taken, others are waited for this long when a call has ended: one claim for several calls."""
LEASE_MS: Final = 30_000
"""Longer than a call and its query may take together."""
CALL_SHARE_OF_LEASE: Final = 0.8
"""After this part of the lease a call is left alone, its outcome unknown."""
FIRST_DELAY_MS: Final = 200
LONGEST_DELAY_MS: Final = 60_000
MOST_TRIES: Final = 8
"""Of a call that certainly had no effect; a call whose outcome is unknown is asked about without end."""
MAX_WORDS: Final = 500
"""Characters of a provider's explanation that are passed on; the whole answer is kept."""
LOOK_EVERY_S: Final = 0.2
ANSWERS_AT_ONCE: Final = 200
AFTER_TROUBLE_S: Final = 0.5
_CONTRACT: Final[TypeAdapter[Any]] = TypeAdapter(TOPICS[TOPIC].inbound)


class GatewayObserver(Protocol):
    """Who wants to know."""

    def called(self, provider: str, operation: str, outcome: str, seconds: float) -> None:
        """A provider was asked, and answered or did not."""

    def alive(self) -> None:
        """The gateway looked for work."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A call's try that is over. `event` is the type and data to publish; None when there is nothing new to say."""

    row: asyncpg.Record
    asked: str
    answer: ProviderAnswer
    status: str
    delay_ms: int
    event: tuple[str, dict[str, Any]] | None

    @property
    def key(self) -> tuple[str, UUID]:
        """Which call it was."""
        return self.row["tenant"], self.row["call_id"]


async def run_gateway(
    database_url: str, providers: dict[str, Provider], observer: GatewayObserver, stop: asyncio.Event
) -> None:
    """Make calls until told to stop; calls under way are finished first."""
    while not stop.is_set():
        try:
            pool = await create_pool(database_url, application="counterfoil gateway", size=4)
            try:
                async with asyncio.TaskGroup() as group:
                    for name, provider in providers.items():
                        group.create_task(Gateway(name, provider, pool, observer).run(database_url, stop))
            finally:
                pool.terminate()
        except* (*UNREACHABLE, *UNFIT) as errors:
            log.warning("gateway starts over", error=repr(errors.exceptions[0]))
            await pause(stop, AFTER_TROUBLE_S)


class Gateway:
    """The calls to one provider."""

    def __init__(self, name: str, provider: Provider, pool: Pool, observer: GatewayObserver) -> None:
        self.name = name
        self._provider = provider
        self._pool = pool
        self._observer = observer
        self._finished: asyncio.Queue[Finished | None] = asyncio.Queue()
        self._under_way: set[asyncio.Task[None]] = set()
        self._woken = asyncio.Event()

    async def run(self, database_url: str, stop: asyncio.Event) -> None:
        """Claim, call, report. Raises what UNREACHABLE names when the database goes away; leases make that safe."""
        listener = await connect(database_url, application="counterfoil gateway")
        reporting = asyncio.create_task(self._report())
        try:
            await listener.add_listener(CALLS_CHANNEL, lambda *_: self._woken.set())
            while not stop.is_set():
                self._woken.clear()
                self._observer.alive()
                if not await self._claimed_all():
                    await self._rest(reporting)
            await asyncio.gather(*self._under_way)
            self._finished.put_nowait(None)
            await reporting
        finally:
            for call in self._under_way:
                call.cancel()
            reporting.cancel()
            listener.terminate()

    async def _rest(self, reporting: asyncio.Task[None]) -> None:
        """Until a call was asked for or ended, or it is time to look; an error of the reporter surfaces here."""
        full = len(self._under_way) >= CONCURRENT_CALLS
        # With all places taken, that more is asked for changes nothing.
        woken = [] if full else [asyncio.create_task(self._woken.wait())]
        waits: set[asyncio.Task[Any]] = {*woken, reporting, *self._under_way}
        done, _ = await asyncio.wait(waits, timeout=LOOK_EVERY_S, return_when=asyncio.FIRST_COMPLETED)
        for wait in woken:
            wait.cancel()
        if reporting in done:
            reporting.result()
        if full:
            await asyncio.sleep(GATHER_S)

    async def _claimed_all(self) -> bool:
        """Claim as many calls as there are free places. Whether that many were due, so that there may be more."""
        free = CONCURRENT_CALLS - len(self._under_way)
        if free <= 0:
            return False
        rows = await sql.claim_calls(
            self._pool, provider=self.name, gateway=f"gateway-{id(self):x}", lease_ms=LEASE_MS, most=free
        )
        for row in rows:
            task = asyncio.create_task(self._call(row))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        return len(rows) == free

    async def _call(self, row: asyncpg.Record) -> None:
        """One try: ask first when the outcome is unknown, make the call when the provider never saw it."""
        in_doubt = row["status_before"] in {"unknown", "in_flight"}
        started = perf_counter()
        asked, answer = await self._ask(row, in_doubt=in_doubt)
        self._observer.called(
            self.name, row["operation"], type(answer).__name__.lower(), perf_counter() - started
        )
        finished = judge_answer(row, asked, answer, in_doubt=in_doubt)
        if not _is_readable(finished):
            # Told so, it would be a dead letter, and its payment would wait for ever.
            log.error(
                "provider's answer breaks our contract", provider=self.name, call_id=str(row["call_id"])
            )
            unsure = judge_answer(row, asked, Ambiguous("the answer breaks our contract"), in_doubt=in_doubt)
            finished = replace(unsure, answer=answer)
        self._finished.put_nowait(finished)

    async def _ask(self, row: asyncpg.Record, *, in_doubt: bool) -> tuple[str, ProviderAnswer]:
        """What was asked, and the answer. The lease outlives it, so that no other gateway asks at the same time."""
        asked = "query" if in_doubt else "execute"
        try:
            request = request_of(row)
        except ValueError as error:
            log.exception("call makes no sense", provider=self.name, call_id=str(row["call_id"]))
            return asked, Refused(f"not sent: {error}", b"")
        try:
            async with asyncio.timeout(LEASE_MS / 1000 * CALL_SHARE_OF_LEASE):
                answer = await (self._provider.query if in_doubt else self._provider.execute)(request)
                if isinstance(answer, NotFound) and await self._is_awaited(row):
                    asked = "execute"
                    answer = await self._provider.execute(request)
        except TimeoutError:
            answer = Ambiguous("no answer within the lease")
        except Exception as error:
            # An adapter's bug; what it did before is not known.
            log.exception("provider adapter raised", provider=self.name, call_id=str(request.call_id))
            answer = Ambiguous(f"adapter raised {type(error).__name__}")
        return asked, answer

    async def _is_awaited(self, row: asyncpg.Record) -> bool:
        """Whether to make a call that the provider never saw: not when it was decided meanwhile that it never will."""
        awaited: bool = await sql.is_awaited(self._pool, tenant=row["tenant"], call_id=row["call_id"])
        return awaited

    async def _report(self) -> None:
        """Write what is finished, many at a time, until None says that nothing more comes."""
        more = True
        while more:
            batch = [await self._finished.get()]
            while len(batch) < ANSWERS_AT_ONCE and not self._finished.empty():
                batch.append(self._finished.get_nowait())
            more = None not in batch
            finished = [one for one in batch if one is not None]
            if not finished:
                continue
            async with self._pool.acquire() as connection, connection.transaction():
                await report(connection, finished)


def request_of(row: asyncpg.Record) -> ProviderRequest:
    """The call as its provider needs it."""
    return ProviderRequest(
        call_id=row["call_id"],
        tenant=row["tenant"],
        operation=row["operation"],
        amount_minor=row["amount_minor"],
        currency=row["currency"],
        order_id=row["order_id"],
        method_type=row["method_type"],
        token=row["token"],
        provider_reference=row["provider_reference"],
        object_reference=row["object_reference"],
        object_id=row["object_id"],
        evidence=row["evidence"] or {},
        capture=row["capture"],
        final=row["final"],
    )


def judge_answer(  # noqa: PLR0911 - one return for each kind of answer
    row: asyncpg.Record, asked: str, answer: ProviderAnswer, *, in_doubt: bool
) -> Finished:
    """What an answer means for the call: its status, when to ask again, what to tell the payment."""
    delay_ms = min(FIRST_DELAY_MS * 2 ** min(row["tries"] - 1, 20), LONGEST_DELAY_MS)
    match answer:
        case Succeeded():
            told: dict[str, Any] = {
                "provider_reference": answer.provider_reference,
                "amount_minor": answer.amount_minor,
                "captured": answer.captured,
            }
            return _ended(row, asked, answer, "provider.call_succeeded.v1", told)
        case Declined():
            told = {"reason": answer.reason_code, "provider_code": _plain(answer.provider_code)}
            return _ended(row, asked, answer, "provider.call_declined.v1", told)
        case ChallengeRequired():
            told = {"provider_reference": answer.provider_reference, "redirect_url": answer.redirect_url}
            return _ended(row, asked, answer, "provider.challenge_required.v1", told)
        case Pending():
            told = {"provider_reference": answer.provider_reference}
            return _ended(row, asked, answer, "provider.call_pending.v1", told)
        case Refused():
            told = {"reason": Reason.PROVIDER_REFUSED_REQUEST, "detail": _plain(answer.detail)}
            return _ended(row, asked, answer, "provider.call_failed.v1", told)
        case Transient() if row["tries"] >= MOST_TRIES and row["unknown_since"] is None and not in_doubt:
            told = {"reason": Reason.PROVIDER_UNAVAILABLE, "detail": _plain(answer.detail)}
            return _ended(row, asked, answer, "provider.call_failed.v1", told)
        case Transient():
            status = "unknown" if in_doubt else "requested"
            return Finished(row, asked, answer, status, max(delay_ms, answer.retry_after_ms or 0), None)
        case Ambiguous():
            first = row["unknown_since"] is None
            event = ("provider.call_unknown.v1", {"detail": _plain(answer.detail)}) if first else None
            return Finished(row, asked, answer, "unknown", delay_ms, event)
        case NotFound():
            # Not made, because nobody waits for it any more; or execute broke its promise never to say this.
            status = "answered" if asked == "query" else "unknown"
            return Finished(row, asked, answer, status, delay_ms, None)


def _ended(
    row: asyncpg.Record, asked: str, answer: ProviderAnswer, event_type: str, told: dict[str, Any]
) -> Finished:
    return Finished(row, asked, answer, "answered", 0, (event_type, told))


async def report(connection: Any, finished: Sequence[Finished]) -> None:
    """Within the caller's transaction: answers kept, calls moved, results in the outbox."""
    await sql.keep_answers(
        connection,
        tenants=[f.row["tenant"] for f in finished],
        call_ids=[f.row["call_id"] for f in finished],
        tries=[f.row["tries"] for f in finished],
        asked=[f.asked for f in finished],
        answers=[type(f.answer).__name__ for f in finished],
        details=[_plain(getattr(f.answer, "detail", "")) for f in finished],
        raws=[getattr(f.answer, "raw", None) for f in finished],
    )
    open_ones = [f for f in finished if f.status != "answered"]
    moved = set()
    if open_ones:
        rows = await sql.calls_again(
            connection,
            tenants=[f.row["tenant"] for f in open_ones],
            call_ids=[f.row["call_id"] for f in open_ones],
            tries=[f.row["tries"] for f in open_ones],
            statuses=[f.status for f in open_ones],
            delays_ms=[f.delay_ms for f in open_ones],
        )
        moved |= {(row["tenant"], row["call_id"], False) for row in rows}
    # Two tries of a call can end at once, when a lease ran out; the first answer is the one that is told.
    ended = list({f.key: f for f in reversed(finished) if f.status == "answered"}.values())
    if ended:
        rows = await sql.calls_answered(
            connection,
            tenants=[f.row["tenant"] for f in ended],
            call_ids=[f.row["call_id"] for f in ended],
            tries=[f.row["tries"] if isinstance(f.answer, Transient) else None for f in ended],
        )
        moved |= {(row["tenant"], row["call_id"], True) for row in rows}
    told = [f for f in (*open_ones, *ended) if f.event and (*f.key, f.status == "answered") in moved]
    if told:
        keys, payloads = as_lines(
            [partition_key(f.row["tenant"], f.row["order_id"]) for f in told], [_result(f) for f in told]
        )
        await sql.add_to_outbox(connection, topic=TOPIC, events=len(told), keys=keys, payloads=payloads)


def _plain(text: str) -> str:
    """A provider's words as our messages and tables can hold them."""
    return text.replace("\x00", "\ufffd")[:MAX_WORDS]


def _is_readable(finished: Finished) -> bool:
    """Whether the payment's consumer will be able to read what is to be told."""
    if finished.event is None:
        return True
    try:
        _CONTRACT.validate_json(_result(finished))
    except ValidationError:
        return False
    return True


def _result(finished: Finished) -> bytes:
    """The result's event. Its id follows from the call, so that the same outcome never has two."""
    row = finished.row
    event_type, told = finished.event or ("", {})
    call_id: UUID = row["call_id"]
    data = {
        "call_id": call_id,
        "payment_id": row["payment_id"],
        "object_id": row["object_id"],
        "order_id": row["order_id"],
        "provider": row["provider"],
        "operation": row["operation"],
        **told,
    }
    cause = Cause(row["tenant"], SOURCE, str(call_id), row["event_id"])
    return encode(cause, event_type, 0, row["order_id"], datetime.now(UTC), data)
