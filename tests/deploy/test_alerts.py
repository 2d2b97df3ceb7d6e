"""Alerts speak of metrics and labels that the code sets, and of nothing else but Prometheus's own."""

import ast
import re

import pytest

from loopwright.localmesh.topology import SERVICES
from loopwright.telemetry import names
from loopwright.telemetry.entries import Metric, MetricType
from tests.architecture.source import modules
from tests.deploy.artefacts import DEPLOY, document

[GROUP] = document(DEPLOY / "prometheus" / "alerts.yml")["groups"]
ALERTS = GROUP["rules"]
OF_PROMETHEUS = {"up", "count", "sum", "max", "by", "rate", "increase", "absent", "or", "histogram_quantile"}
ADDED_LABELS = {"job", "service", "instance", "le"}
SUFFIXES = {
    MetricType.COUNTER: ("_total",),
    MetricType.GAUGE: ("",),
    MetricType.HISTOGRAM: ("_bucket", "_count", "_sum"),
}
EXPOSED: dict[str, Metric] = {
    metric.exposed_name + suffix: metric for metric in names.METRICS for suffix in SUFFIXES[metric.type]
}
each_alert = pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])


def unquoted(expression: str) -> str:
    return re.sub(r'"[^"]*"', '""', expression)


def metrics_of(expression: str) -> set[str]:
    """Return the metric names of an expression: every word that is neither a label nor Prometheus's own."""
    plain = re.sub(r"\{[^}]*\}|\bby \([^)]*\)|\[[^\]]*\]", " ", unquoted(expression))
    return set(re.findall(r"[a-zA-Z_:][\w:]*", plain)) - OF_PROMETHEUS


def labels_of(expression: str) -> set[str]:
    """Return the labels that an expression matches or groups by."""
    matched = re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"", expression)
    grouped = [name for group in re.findall(r"\bby \(([^)]*)\)", expression) for name in group.split(", ")]
    return {*matched, *grouped}


def set_by_the_code() -> set[Metric]:
    """Return the metrics whose constant is used somewhere beside the registry."""
    constants = {value: key for key, value in vars(names).items() if isinstance(value, Metric)}
    used = {
        node.attr
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "names"
    }
    return {metric for metric, constant in constants.items() if constant in used}


@each_alert
def test_an_alert_reads_metrics_of_the_registry_that_the_code_sets(alert: dict[str, str]) -> None:
    found = metrics_of(alert["expr"])
    assert found - set(EXPOSED) == set()
    assert {EXPOSED[name] for name in found} <= set_by_the_code()
    assert found or "up{" in alert["expr"]


@each_alert
def test_an_alert_uses_only_labels_that_its_metrics_have(alert: dict[str, dict[str, str]]) -> None:
    has = {label for name in metrics_of(str(alert["expr"])) for label in EXPOSED[name].labels}
    assert labels_of(str(alert["expr"])) - has - ADDED_LABELS == set()
    told = set(re.findall(r"\$labels\.(\w+)", alert["annotations"]["summary"]))
    assert told - has - ADDED_LABELS == set()


@each_alert
def test_an_alert_says_what_is_wrong_and_how_urgent_it_is(alert: dict[str, dict[str, str]]) -> None:
    assert alert["labels"]["severity"] in {"page", "ticket"}
    assert alert["annotations"]["summary"].endswith(".")


def test_the_alert_on_missing_services_counts_the_topology() -> None:
    [missing] = [alert["expr"] for alert in ALERTS if alert["alert"] == "ServiceMissing"]
    assert f"< {len(SERVICES)} " in missing


@pytest.mark.parametrize(
    ("expression", "metrics", "labels"),
    [
        ("sum by (le) (rate(loopwright_typo_total[5m])) > 0.1", {"loopwright_typo_total"}, {"le"}),
        ('max(loopwright_outbox_age{user="x"}) > 60', {"loopwright_outbox_age"}, {"user"}),
    ],
)
def test_a_misspelt_metric_and_a_strange_label_are_seen(expression: str, metrics: set[str], labels: set[str]) -> None:
    assert metrics_of(expression) == metrics
    assert not metrics <= set(EXPOSED)
    assert labels_of(expression) == labels
