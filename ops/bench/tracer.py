"""Where the time goes, seen from outside: functions are wrapped while a benchmark runs, and nothing in them is changed.

A span's own time is its time less that of the spans within it, so that all own times add up to the whole. Only one
task may run traced functions.
"""

from __future__ import annotations

import functools
import gc
import inspect
import time
from collections import defaultdict
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Function = Callable[..., Any]
    Name = str | Callable[..., str]
    """A span's name, or what makes it of the call's arguments."""
    Times = tuple[float, float]
    """Seconds by the clock, and of this process's processor."""

COLLECTOR: Final = "garbage collector"


@dataclass(slots=True)
class Spent:
    """Own time of one span: by the clock, and of this process's processor; the rest was waiting for somebody else."""

    calls: int = 0
    wall_s: float = 0.0
    cpu_s: float = 0.0


class Tracer:
    """Collects spans, the garbage collector's among them. Watching a call costs about a microsecond."""

    def __init__(self) -> None:
        self.spans: defaultdict[str, Spent] = defaultdict(Spent)
        self._inner: Times = (0.0, 0.0)
        self._collecting: tuple[Times, Times] | None = None

    @contextmanager
    def watching(self, *places: tuple[Any, str, Name]) -> Iterator[None]:
        """Time these attributes (of a class or a module) until the block is left."""
        with ExitStack() as patches:
            for owner, attribute, name in places:
                original = inspect.getattr_static(owner, attribute)
                wrapped: Any
                if isinstance(original, classmethod | staticmethod):
                    wrapped = type(original)(self.wrap(original.__func__, name))
                else:
                    wrapped = self.wrap(original, name)
                patches.enter_context(patch.object(owner, attribute, wrapped))
            gc.callbacks.append(self._collect)
            patches.callback(gc.callbacks.remove, self._collect)
            yield

    def wrap(self, function: Function, name: Name) -> Function:
        """The function, timed."""
        named = name if callable(name) else lambda *_, **__: name
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def timed(*args: Any, **kwargs: Any) -> Any:
                began = self._begin()
                try:
                    return await function(*args, **kwargs)
                finally:
                    self._end(named(*args, **kwargs), began)

        else:

            @functools.wraps(function)
            def timed(*args: Any, **kwargs: Any) -> Any:
                began = self._begin()
                try:
                    return function(*args, **kwargs)
                finally:
                    self._end(named(*args, **kwargs), began)

        return timed

    def _begin(self) -> tuple[Times, Times]:
        """What the spans within the outer one have taken so far, and the time now."""
        outer, self._inner = self._inner, (0.0, 0.0)
        return outer, (time.perf_counter(), time.process_time())

    def _end(self, name: str, began: tuple[Times, Times]) -> None:
        outer, (wall_then, cpu_then) = began
        wall, cpu = time.perf_counter() - wall_then, time.process_time() - cpu_then
        spent = self.spans[name]
        spent.calls += 1
        spent.wall_s += wall - self._inner[0]
        spent.cpu_s += cpu - self._inner[1]
        self._inner = outer[0] + wall, outer[1] + cpu

    def _collect(self, phase: str, _: object) -> None:
        if phase == "start":
            self._collecting = self._begin()
        elif self._collecting is not None:
            self._end(COLLECTOR, self._collecting)
            self._collecting = None
