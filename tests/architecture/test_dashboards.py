"""The dashboard and the alerts ask for metrics that exist, and every alert tells a person what to do."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.architecture.tree import ROOT

DASHBOARDS = ROOT / "ops" / "dashboards"
ALERTS = DASHBOARDS / "alerts.yaml"
DASHBOARD = DASHBOARDS / "counterfoil.json"

COUNTERS = {
    "counterfoil_batch_retries_total": {"topic", "reason"},
    "counterfoil_closings_total": set[str](),
    "counterfoil_entries_total": {"rule"},
    "counterfoil_messages_received_total": {"topic"},
    "counterfoil_messages_redelivered_total": {"topic"},
    "counterfoil_messages_total": {"topic", "outcome"},
    "counterfoil_money_posted_minor_total": {"currency"},
    "counterfoil_provider_calls_total": {"provider", "operation", "outcome"},
    "counterfoil_published_total": {"topic"},
    "counterfoil_slices_total": set[str](),
    "counterfoil_webhook_connections_dropped_total": {"reason"},
    "counterfoil_webhooks_repeated_total": set[str](),
    "counterfoil_webhooks_total": {"provider", "outcome"},
}
HISTOGRAMS = {
    "counterfoil_batch_seconds": {"topic"},
    "counterfoil_batch_size": {"topic"},
    "counterfoil_provider_call_seconds": {"provider", "operation"},
    "counterfoil_upkeep_seconds": set[str](),
    "counterfoil_webhook_answer_seconds": {"provider"},
    "counterfoil_webhook_commit_seconds": set[str](),
    "counterfoil_webhook_commit_size": set[str](),
}
GAUGES = {
    "counterfoil_consumer_lag": {"topic", "partition"},
    "counterfoil_dead_letters": set[str](),
    "counterfoil_last_progress_timestamp_seconds": {"role"},
    "counterfoil_last_upkeep_timestamp_seconds": set[str](),
    "counterfoil_outbox_age_seconds": set[str](),
    "counterfoil_outbox_backlog": set[str](),
    "counterfoil_parked": set[str](),
    "counterfoil_relay_leader": set[str](),
    "counterfoil_unknown_calls": set[str](),
    "counterfoil_unsliced_lines": set[str](),
    "counterfoil_untaken_closings": set[str](),
}
SERIES = {
    **COUNTERS,
    **GAUGES,
    **{f"{name}_bucket": labels | {"le"} for name, labels in HISTOGRAMS.items()},
    **{f"{name}_{part}": labels for name, labels in HISTOGRAMS.items() for part in ("sum", "count")},
}
"""Every series of ours in Prometheus, with its labels."""

SELECTOR = re.compile(r"(counterfoil_\w+)(?:\{([^}]*)\})?")
MATCHER = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")
GROUPING = re.compile(r"\bby \(([^)]*)\)")


def unknown(expression: str) -> list[str]:
    """Each metric, and each label that it is filtered or grouped by, that no process of ours serves."""
    wrong = []
    labels: set[str] = set()
    for metric, matchers in SELECTOR.findall(expression):
        served = SERIES.get(metric)
        if served is None:
            wrong.append(metric)
            continue
        labels |= served
        wrong += [f"{metric}.{label}" for label in MATCHER.findall(matchers) if label not in served]
    grouped = {label.strip() for group in GROUPING.findall(expression) for label in group.split(",")}
    return wrong + sorted(grouped - labels)


def rules() -> list[dict[str, Any]]:
    """Every alert rule."""
    groups = yaml.safe_load(ALERTS.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    """Every panel that shows something."""
    shown: list[dict[str, Any]] = json.loads(DASHBOARD.read_text())["panels"]
    return [panel for panel in shown if panel["type"] != "row"]


def expressions() -> Iterator[str]:
    """Every query of the alerts and of the dashboard."""
    yield from (rule["expr"] for rule in rules())
    yield from (target["expr"] for panel in panels() for target in panel["targets"])


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("rate(counterfoil_message_total[5m])", ["counterfoil_message_total"]),
        ('counterfoil_parked{topic="x"} > 0', ["counterfoil_parked.topic"]),
        ("sum by (merchant) (counterfoil_entries_total)", ["merchant"]),
        ("sum by (topic, le) (rate(counterfoil_batch_seconds_bucket[5m]))", []),
        ("rate(counterfoil_batch_seconds[5m])", ["counterfoil_batch_seconds"]),
    ],
)
def test_a_metric_that_is_not_served_is_found(expression: str, found: list[str]) -> None:
    assert unknown(expression) == found


def test_alerts_and_dashboard_ask_only_for_what_is_served() -> None:
    wrong = {expression: found for expression in expressions() if (found := unknown(expression))}
    assert wrong == {}


def test_every_metric_is_shown_on_the_dashboard() -> None:
    shown = " ".join(target["expr"] for panel in panels() for target in panel["targets"])
    assert [name for name in (*COUNTERS, *HISTOGRAMS, *GAUGES) if name not in shown] == []


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule["alert"]))
def test_an_alert_says_what_happened_what_it_means_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert set(rule["annotations"]) == {"summary", "description", "runbook"}
    assert all(text.strip() for text in rule["annotations"].values())


def test_no_two_alerts_have_one_name() -> None:
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names))


def test_no_two_panels_overlap_and_each_says_what_it_shows() -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in panels():
        assert panel["description"], panel["title"]
        at = panel["gridPos"]
        for cell in (
            (x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])
        ):
            assert cell not in taken, f"{panel['title']} covers {taken[cell]}"
            taken[cell] = panel["title"]
    assert max(x for x, _ in taken) < 24, "a dashboard is 24 columns wide"


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "rules", str(ALERTS)],
        ["test", "rules", str(DASHBOARDS / "alerts.test.yaml")],
        ["check", "config", "--syntax-only", str(ROOT / "deploy" / "prometheus" / "prometheus.yaml")],
    ],
    ids=["rules", "their tests", "configuration"],
)
def test_promtool_agrees(arguments: list[str]) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed; it comes with Prometheus")
    done = subprocess.run([promtool, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
