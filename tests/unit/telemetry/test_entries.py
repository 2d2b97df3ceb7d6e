from __future__ import annotations

import pytest

from loopwright.telemetry.entries import Attribute, Metric, MetricType, SpanName


@pytest.mark.parametrize("label", ["user_id", "item_id", "subject", "request_id"])
def test_a_metric_label_outside_the_allow_list_is_refused(label: str) -> None:
    with pytest.raises(ValueError, match="allow-list"):
        Metric("loopwright.x", MetricType.COUNTER, "", "x", (label,))


@pytest.mark.parametrize("name", ["user_id", "loopwright.subject", "x.query_text"])
def test_an_attribute_that_names_a_person_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="personal data"):
        Attribute(name, str, "", "x")


def test_a_histogram_and_only_a_histogram_has_buckets() -> None:
    with pytest.raises(ValueError, match="buckets"):
        Metric("x", MetricType.HISTOGRAM, "seconds", "x")
    with pytest.raises(ValueError, match="buckets"):
        Metric("x", MetricType.GAUGE, "seconds", "x", (), (1.0,))


@pytest.mark.parametrize(
    ("name", "unit", "exposed"),
    [("a.b", "seconds", "a_b_seconds"), ("a.b", "", "a_b"), ("a.ratio", "ratio", "a_ratio")],
)
def test_the_exposed_name_carries_the_unit_once(name: str, unit: str, exposed: str) -> None:
    assert Metric(name, MetricType.GAUGE, unit, "x").exposed_name == exposed


def test_a_placeholder_must_be_filled_and_only_a_placeholder() -> None:
    assert SpanName("send {topic}", "x").filled("actions") == "send actions"
    assert SpanName("rank", "x").filled(None) == "rank"
    for name, fill in (("send {topic}", None), ("rank", "x")):
        with pytest.raises(ValueError, match="placeholder"):
            SpanName(name, "x").filled(fill)
