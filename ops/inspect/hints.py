"""Under a number: the command that explains it, as it can be pasted into a shell."""

from __future__ import annotations

import shlex

from ops.statements.moments import Basis


def explain_command(
    *what: str,
    tenant: str | None = None,
    owner: str | None = None,
    currency: str | None = None,
    as_of: str | None = None,
    period: str | None = None,
    basis: Basis = Basis.EFFECTIVE,
    zone: str | None = None,
) -> str:
    """`counterfoil explain balance merchant_payable --owner m1 --as-of 2026-11-30`: `what`, then what narrows it."""
    dated = as_of is not None or period is not None
    options = {
        "--tenant": tenant,
        "--owner": owner,
        "--currency": currency,
        "--as-of": as_of,
        "--period": period,
        "--basis": str(basis) if dated and basis is not Basis.EFFECTIVE else None,
        "--zone": zone if dated else None,
    }
    named = [word for option, value in options.items() if value is not None for word in (option, value)]
    return shlex.join(("counterfoil", "explain", *what, *named))
