"""What a verification says."""

from __future__ import annotations

from dataclasses import dataclass, field

NAMED_AT_MOST = 1000
"""Findings kept; the others are only counted."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it was. `entry_id` is None where only a block can be named."""

    tenant: str
    block: int | None
    entry_id: int | None
    told: str


@dataclass(slots=True)
class Verdict:
    """Entries and blocks that were looked at; `unsealed` entries are too new to be in a block; what was found."""

    entries: int = 0
    blocks: int = 0
    unsealed: int = 0
    broken: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether history is as it was sealed."""
        return not self.broken

    def found(self, tenant: str, told: str, *, block: int | None = None, entry_id: int | None = None) -> None:
        """Add a finding."""
        self.broken += 1
        if len(self.findings) < NAMED_AT_MOST:
            self.findings.append(Finding(tenant, block, entry_id, told))
