"""Who acts: a person or a service, and as what. Who may do what is data, in handlers/ (`policy.py`)."""

from __future__ import annotations

from typing import Literal

from schemas.envelope import Data
from schemas.safe_text import SafeName

Role = Literal["system", "support", "manager", "finance"]


class Actor(Data):
    """Who acts, and as what. The caller vouches for it; it is written to the audit log."""

    id: SafeName
    role: Role
