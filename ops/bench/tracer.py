"""Where the time goes, seen from outside: functions are wrapped while a benchmark runs, and nothing in them is changed.

A span's own time is its time less that of the spans within it, so that all own times add up to the whole. Only one
task may run traced functions.
"""

from __future__ import annotations

import functools
import inspect
import time
from collections import defaultdict
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Function = Callable[..., Any]
    Name = str | Callable[..., str]
    """A span's name, or what makes it of the call's arguments."""


@dataclass(slots=True)
class Spent:
    """Own time of one span: by the clock, and of this process's processor; the rest was waiting for somebody else."""

    calls: int = 0
    wall_s: float = 0.0
    cpu_s: float = 0.0


class Tracer:
    """Collects spans. Watching costs a plain function about half a microsecond a call, a coroutine two."""

    def __init__(self) -> None:
        self.spans: defaultdict[str, Spent] = defaultdict(Spent)
        self._inner_wall_s = 0.0
        self._inner_cpu_s = 0.0

    @contextmanager
    def watching(self, *places: tuple[Any, str, Name]) -> Iterator[None]:
        """Time these attributes (of a class or a module) until the block is left."""
        with ExitStack() as patches:
            for owner, attribute, name in places:
                original = inspect.getattr_static(owner, attribute)
                if isinstance(original, classmethod):
                    wrapped: Any = classmethod(self.wrap(original.__func__, name))
                else:
                    wrapped = self.wrap(original, name)
                patches.enter_context(patch.object(owner, attribute, wrapped))
            yield

    def wrap(self, function: Function, name: Name) -> Function:
        """The function, timed."""
        if inspect.iscoroutinefunction(function):
            return self._wrap_coroutine(function, name if callable(name) else lambda *_, **__: name)
        return self._wrap_plain(function, str(name))

    def _wrap_coroutine(self, function: Function, name: Callable[..., str]) -> Function:
        @functools.wraps(function)
        async def timed(*args: Any, **kwargs: Any) -> Any:
            outer = self._inner_wall_s, self._inner_cpu_s
            self._inner_wall_s = self._inner_cpu_s = 0.0
            cpu, wall = time.process_time(), time.perf_counter()
            try:
                return await function(*args, **kwargs)
            finally:
                wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
                spent = self.spans[name(*args, **kwargs)]
                spent.calls += 1
                spent.wall_s += wall - self._inner_wall_s
                spent.cpu_s += cpu - self._inner_cpu_s
                self._inner_wall_s, self._inner_cpu_s = outer[0] + wall, outer[1] + cpu

        return timed

    def _wrap_plain(self, function: Function, name: str) -> Function:
        """A function that awaits nothing uses the processor all the time; to ask for that would cost more than it."""
        spent = self.spans[name]

        @functools.wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            outer = self._inner_wall_s, self._inner_cpu_s
            self._inner_wall_s = 0.0
            began = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                wall = time.perf_counter() - began
                spent.calls += 1
                spent.wall_s += wall - self._inner_wall_s
                spent.cpu_s += wall - self._inner_wall_s
                self._inner_wall_s, self._inner_cpu_s = outer[0] + wall, outer[1] + wall

        return timed
