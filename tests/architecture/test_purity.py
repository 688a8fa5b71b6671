"""Law 11: handlers and schemas are pure. First that the rule can fail, then that the domain keeps it."""

from __future__ import annotations

import pytest

from tests.architecture.purity import impurities
from tests.architecture.tree import files, name

IMPURE = [
    ("async def decide(): ...", "waits"),
    ("async def f():\n    await g()", "waits"),
    ("from datetime import datetime\nat = datetime.now()", ".now reads the clock"),
    ("import datetime as dt\nat = dt.datetime.now(dt.UTC)", ".now reads the clock"),
    ("at = datetime.utcnow()", ".utcnow reads the clock"),
    ("on = date.today()", ".today reads the clock"),
    ("clock = datetime.now", ".now reads the clock"),
    ("import time", "imports time"),
    ("from time import monotonic", "imports from time"),
    ("import random", "imports random"),
    ("import os.path", "imports os.path"),
    ("from asyncio import sleep", "imports from asyncio"),
    ("import uuid\nid = uuid.uuid4()", ".uuid4 is random"),
    ("from uuid import uuid4", "uuid4 is random"),
    ("from uuid import uuid1 as new", "uuid1 is random"),
    ("home = sys.environ", ".environ reads the environment"),
    ("open('rates.csv')", "open does I/O"),
    ("print('paid')", "print does I/O"),
    ("body = Path('x').read_text()", ".read_text does I/O"),
    ("eval('1')", "eval runs text"),
    ("__import__('os')", "__import__ imports"),
    ("FEE = 0.029", "0.029 is a float"),
    ("def fee(amount):\n    return amount * 1e-2", "0.01 is a float"),
    ("def fee(rate: float): ...", "float money"),
    ("fee = float(text)", "float money"),
    ("def f():\n    global seen\n    seen = 1", "rebinds seen"),
    ("seen = {}", "seen is mutable state"),
    ("seen: dict[str, int] = {}", "seen is mutable state"),
    ("seen = set()", "seen is mutable state"),
    ("_cache = defaultdict(list)", "_cache is mutable state"),
    ("TABLE = {}\ndef f(k):\n    TABLE[k] = 1", "changes TABLE"),
    ("def f(k):\n    del TABLE[k]", "changes TABLE"),
    ("def f(k):\n    TABLE.setdefault(k, 1)", "changes TABLE"),
]

PURE = [
    "from datetime import datetime\ndef decide(now: datetime): return now",
    "from uuid import uuid5",
    "FEE_BPS = 290",
    "RATES = {'visa': 290}\ndef rate(brand): return RATES[brand]",
    "from decimal import Decimal\nRATE = Decimal('0.029')",
    "def legs():\n    lines = []\n    lines.append(1)\n    return tuple(lines)",
    "def at(self): self.created_at = 1",
]


@pytest.mark.parametrize(("source", "finding"), IMPURE)
def test_an_impurity_is_found(source: str, finding: str) -> None:
    assert any(finding in found for found in impurities(source)), impurities(source)


@pytest.mark.parametrize("source", PURE)
def test_what_is_pure_passes(source: str) -> None:
    assert impurities(source) == []


def test_the_domain_is_pure() -> None:
    domain = [*files(".py", under="handlers"), *files(".py", under="schemas")]
    assert domain, "no file of the domain was found"
    found = [f"{name(path)}:{why}" for path in domain for why in impurities(path.read_text())]
    assert not found, "\n".join(found)
