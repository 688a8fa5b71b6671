"""What the numbers were measured on."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil


@dataclass(frozen=True, slots=True)
class Machine:
    """`load` is the one-minute load average when the benchmark began: how much else was going on."""

    at: datetime
    cores: int
    processor: str
    memory_gib: float
    system: str
    python: str
    load: float


def look_at_machine() -> Machine:
    """This machine, now."""
    return Machine(
        at=datetime.now(UTC),
        cores=os.cpu_count() or 1,
        processor=_processor(),
        memory_gib=round(psutil.virtual_memory().total / 2**30, 1),
        system=platform.platform(),
        python=platform.python_version(),
        load=round(psutil.getloadavg()[0], 2),
    )


def _processor() -> str:
    """Linux tells its name in a file only."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text(encoding="utf-8").splitlines() if told.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
