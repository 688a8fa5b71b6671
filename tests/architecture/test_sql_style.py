"""The SQL rules of pyproject.toml: each finds what it is there for, and lets pass how we write."""

from __future__ import annotations

import pytest
from sqlfluff.core import FluffConfig, Linter

from tests.architecture.tree import ROOT

LINTER = Linter(config=FluffConfig.from_path(str(ROOT)))

BAD = [
    ("select id FROM payments;\n", "CP01"),
    ("SELECT SUM(amount_minor) AS total FROM lines;\n", "CP03"),
    ("CREATE TABLE t (id BIGINT NOT NULL);\n", "CP05"),
    ("SELECT id FROM payments p;\n", "AL01"),
    ("SELECT sum(amount_minor) total FROM lines;\n", "AL02"),
    ("SELECT id FROM payments ORDER BY a DESC, b;\n", "AM03"),
    ("SELECT id FROM payments WHERE state != 'failed';\n", "CV01"),
    ("SELECT id FROM payments WHERE state = NULL;\n", "CV05"),
    ("SELECT id,state FROM payments;\n", "LT01"),
    ("SELECT\n    id\n    , state\nFROM payments;\n", "LT04"),
    ("SELECT id FROM payments WHERE state = 'x';\n".replace("x", "x" * 110), "LT05"),
    ("SELECT sum (amount_minor) AS total FROM lines;\n", "LT06"),
    ("SELECT id FROM payments;", "LT12"),
    ("\n\nSELECT id FROM payments;\n", "LT13"),
    ("SELECT p.id FROM payments AS q;\n", "RF01"),
    ("SELECT id FROM WHERE;\n", "PRS"),
]


@pytest.mark.parametrize(("sql", "rule"), BAD)
def test_bad_style_is_found(sql: str, rule: str) -> None:
    assert rule in {found.rule_code() for found in LINTER.lint_string(sql).get_violations()}


def test_the_way_we_write_passes() -> None:
    sql = """\
-- name: upsert_payments!
-- One row per payment that the batch touched.
INSERT INTO payments AS p (tenant, payment_id, state, amount_minor)
SELECT * FROM unnest(:tenants::text[], :ids::text[], :states::text[], :amounts::bigint[])
ON CONFLICT (tenant, payment_id) DO UPDATE SET
    state = excluded.state,
    amount_minor = excluded.amount_minor
WHERE p.state <> excluded.state;
"""
    assert LINTER.lint_string(sql).get_violations() == []
