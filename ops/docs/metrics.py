"""The metrics that every role serves, as a table."""

from __future__ import annotations

from prometheus_client import REGISTRY

import ops.ingress.meter
import ops.metrics  # noqa: F401 - both register theirs

PREFIX = "counterfoil_"


def metrics() -> str:
    """A row for each metric of ours."""
    rows = [
        f"| `{metric.name}{'_total' if metric.type == 'counter' else ''}` | {metric.type} | {metric.documentation} |"
        for metric in sorted(REGISTRY.collect(), key=lambda metric: metric.name)
        if metric.name.startswith(PREFIX)
    ]
    return "\n".join(["| metric | type | what it tells |", "|---|---|---|", *rows])
