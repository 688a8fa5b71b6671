"""What `check` verifies about tenants: the members of an ops.checks.rules.Rule, in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from db.queries import checks as sql

if TYPE_CHECKING:
    from collections.abc import Mapping

Law = tuple[int, str, str, Any, "Mapping[str, object]", bool]

OWN_TENANT: Final = (
    "(tenant = ANY (ARRAY( SELECT m.tenant\n   FROM tenant_members m\n  WHERE (m.role_name = CURRENT_USER))))"
)
"""The policy of every table, as PostgreSQL tells it."""
OWN_MEMBERSHIP: Final = "(role_name = CURRENT_USER)"

LAWS: Final[tuple[Law, ...]] = (
    (
        9,
        "A tenant's reader sees the rows of its own tenants alone",
        "accounts",
        sql.open_to_tenants_cursor,
        {"own_tenant": OWN_TENANT, "own_membership": OWN_MEMBERSHIP},
        False,
    ),
)
