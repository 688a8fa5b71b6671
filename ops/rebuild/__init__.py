"""`counterfoil replay`: states, entries and balances rebuilt from the raw messages, and compared with what is there."""

from __future__ import annotations

from ops.rebuild.compare import Part
from ops.rebuild.replay import Outcome, ReplayTroubleError, replay

__all__ = ["Outcome", "Part", "ReplayTroubleError", "replay"]
