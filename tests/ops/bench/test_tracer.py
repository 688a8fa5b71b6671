"""Own times of nested spans add up to the whole."""

from __future__ import annotations

import asyncio
import gc
import time

import pytest

from ops.bench.tracer import COLLECTOR, Tracer


class Work:
    """Something to watch."""

    @classmethod
    async def outer(cls, seconds: float) -> str:
        """Works, then waits."""
        cls.inner()
        await asyncio.sleep(seconds)
        return "done"

    @staticmethod
    def inner() -> None:
        """Keeps the processor busy for two milliseconds."""
        end = time.perf_counter() + 0.002
        while time.perf_counter() < end:
            pass

    def fail(self) -> None:
        """Does not work."""
        raise LookupError("as it would")


async def test_the_own_times_of_nested_spans_add_up_to_the_whole() -> None:
    tracer = Tracer()
    began = time.perf_counter()
    with tracer.watching((Work, "outer", "outer"), (Work, "inner", lambda *_: "inner")):
        assert await Work.outer(0.003) == "done"
        assert await Work.outer(0.003) == "done"
    whole = time.perf_counter() - began
    outer, inner = tracer.spans["outer"], tracer.spans["inner"]
    assert (outer.calls, inner.calls) == (2, 2)
    assert inner.wall_s >= 0.004
    assert outer.wall_s >= 0.005
    assert sum(spent.wall_s for spent in tracer.spans.values()) <= whole


async def test_what_was_watched_is_as_before_when_the_block_is_left() -> None:
    before = dict(vars(Work))
    callbacks = list(gc.callbacks)
    with Tracer().watching((Work, "outer", "outer"), (Work, "inner", "inner")):
        assert vars(Work)["outer"] is not before["outer"]
    assert dict(vars(Work)) == before
    assert gc.callbacks == callbacks


def test_a_call_that_fails_is_counted_and_fails_as_before() -> None:
    tracer = Tracer()
    with tracer.watching((Work, "fail", "fail")), pytest.raises(LookupError, match="as it would"):
        Work().fail()
    assert tracer.spans["fail"].calls == 1


def test_the_garbage_collector_is_a_span_of_its_own() -> None:
    tracer = Tracer()
    with tracer.watching():
        gc.collect()
    assert tracer.spans[COLLECTOR].calls >= 1
