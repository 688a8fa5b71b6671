"""Fee schedules: versions are never rewritten, the one in force decides, no fee exceeds the sale."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import pytest

from handlers.decision import Decision
from handlers.fees.model import FeeSchedule, FeeTerms
from handlers.fees.rules import fee_of, terms_at
from schemas.money import Rounding
from schemas.reasons import Reason
from tests.handlers.scene import Scene, schedule


def day(month: int, number: int = 1) -> datetime:
    """A day of 2026."""
    return datetime(2026, month, number, tzinfo=UTC)


HISTORY: Final = (
    schedule(bps=300, version=1, effective_from=day(1)),
    schedule(bps=200, version=2, effective_from=day(6)),
    schedule(bps=100, version=5, effective_from=day(6)),
)

# fmt: off
VERSIONS: Final = [
    # version, effective_from, refused because
    (6, day(6),     None),
    (6, day(12),    None),
    (9, day(7),     None),                                      # numbers may be skipped
    (5, day(7),     "version 5 is not above the last, 5"),
    (1, day(7),     "version 1 is not above the last, 5"),
    (6, day(5, 31), "effective_from"),                          # it would rewrite what was charged since
]
# fmt: on


@pytest.mark.parametrize(("version", "effective_from", "refused"), VERSIONS)
def test_a_later_version_is_added_and_none_is_rewritten(
    version: int, effective_from: datetime, refused: str | None
) -> None:
    scene = Scene(HISTORY).send(
        "merchant_fees_set", version=version, effective_from=effective_from.isoformat()
    )
    if refused is None:
        assert isinstance(scene.outcome, Decision)
        assert scene.fees is not None
        assert scene.fees[:-1] == HISTORY
        assert scene.fees[-1].version == version
    else:
        assert scene.rejection.reason is Reason.FEE_VERSION_EXISTS
        assert refused in scene.rejection.detail
        assert scene.fees == HISTORY


def test_the_first_schedule_of_a_merchant_is_taken_as_it_comes() -> None:
    scene = Scene(fees=None).send("merchant_fees_set", version=7)
    assert scene.fees == (
        FeeSchedule("acme", "shoes", 7, day(1), 290, {"EUR": 25, "JPY": 30}, Rounding.HALF_EVEN),
    )


# fmt: off
IN_FORCE: Final = [
    (datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC), None),
    (day(1),                                         1),
    (datetime(2026, 5, 31, 23, 59, 59, tzinfo=UTC),  1),
    (day(6),                                         5),        # of two that begin together, the later
    (day(12),                                        5),
]
# fmt: on


@pytest.mark.parametrize(("moment", "version"), IN_FORCE)
def test_the_last_version_that_had_begun_is_in_force(moment: datetime, version: int | None) -> None:
    terms = terms_at(HISTORY, moment, "EUR")
    assert (terms.version if terms else None) == version


def test_a_currency_without_a_fixed_fee_has_none() -> None:
    assert terms_at(HISTORY, day(2), "JPY") == FeeTerms(1, 300, 0, Rounding.HALF_EVEN)


def test_a_merchant_without_a_schedule_has_no_terms() -> None:
    assert terms_at(None, day(2), "EUR") is None
    assert terms_at((), day(2), "EUR") is None


# fmt: off
FEES: Final = [
    # bps, fixed, rounding, captured, fee
    (290,    25,  Rounding.HALF_EVEN, 10_000, 315),
    (290,    25,  Rounding.HALF_EVEN, 1_999,  83),              # 57.971
    (250,    0,   Rounding.HALF_EVEN, 20,     0),               # 0.5
    (250,    0,   Rounding.HALF_UP,   20,     1),
    (250,    0,   Rounding.DOWN,      79,     1),               # 1.975
    (0,      25,  Rounding.HALF_EVEN, 10_000, 25),
    (0,      0,   Rounding.UP,        10_000, 0),
    (10_000, 25,  Rounding.HALF_EVEN, 10_000, 10_000),          # never more than the sale
    (290,    25,  Rounding.HALF_EVEN, 10,     10),
    (290,    25,  Rounding.HALF_EVEN, 0,      0),
]
# fmt: on


@pytest.mark.parametrize(("bps", "fixed_minor", "rounding", "captured_minor", "fee_minor"), FEES)
def test_a_fee_is_basis_points_and_the_fixed_part_once(
    bps: int, fixed_minor: int, rounding: Rounding, captured_minor: int, fee_minor: int
) -> None:
    assert fee_of(FeeTerms(1, bps, fixed_minor, rounding), captured_minor) == fee_minor
