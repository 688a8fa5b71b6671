"""What every provider adapter must do, against the real provider in its own process.

A test module supplies the fixture `rig` for its provider and inherits the tests. An outcome that a provider
cannot be made to show is left out of its rig, and the test says that it was skipped.
"""

from __future__ import annotations

from tests.producers.providers.suite.certainty import CertaintyConformance
from tests.producers.providers.suite.disputes import DisputeConformance
from tests.producers.providers.suite.increases import IncreaseConformance
from tests.producers.providers.suite.later import LaterConformance
from tests.producers.providers.suite.payments import PaymentConformance
from tests.producers.providers.suite.refunds import RefundConformance
from tests.producers.providers.suite.rig import DECLINE_REASONS, Rig, following, known

__all__ = ["DECLINE_REASONS", "ProviderConformance", "Rig", "following", "known"]


class ProviderConformance(
    PaymentConformance,
    CertaintyConformance,
    IncreaseConformance,
    RefundConformance,
    LaterConformance,
    DisputeConformance,
):
    """Inherit this beside a fixture `rig`."""
