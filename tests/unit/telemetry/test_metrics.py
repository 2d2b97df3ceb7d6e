from __future__ import annotations

import pytest

from loopwright.telemetry import Meter, names
from loopwright.telemetry.entries import Metric, MetricType
from loopwright.telemetry.metrics import MAX_SERIES


def test_counters_histograms_and_gauges_keep_their_values() -> None:
    meter = Meter()
    meter.count(names.DEGRADATIONS, stage="rank", reason="TIMEOUT")
    meter.count(names.DEGRADATIONS, 2, stage="rank", reason="TIMEOUT")
    meter.observe(names.STAGE_DURATION, 0.01, stage="rank")
    meter.gauge(names.OUTBOX_DEPTH, 7)
    meter.gauge(names.OUTBOX_DEPTH, 5)
    assert meter.value(names.DEGRADATIONS, stage="rank", reason="TIMEOUT") == 3
    assert meter.value(names.STAGE_DURATION, stage="rank") == 1
    assert meter.value(names.OUTBOX_DEPTH) == 5
    assert meter.value(names.DEGRADATIONS, stage="rank", reason="OTHER") == 0


def test_an_unregistered_metric_is_refused() -> None:
    with pytest.raises(LookupError, match="made_up"):
        Meter().count(Metric("made_up", MetricType.COUNTER, "", "x"))


def test_labels_must_be_exactly_the_declared_ones() -> None:
    meter = Meter()
    for labels in ({}, {"stage": "rank"}, {"stage": "rank", "reason": "x", "surface": "home"}):
        with pytest.raises(ValueError, match="labels"):
            meter.count(names.DEGRADATIONS, **labels)


def test_a_metric_is_used_as_its_own_type() -> None:
    meter = Meter()
    with pytest.raises(ValueError, match="is a gauge"):
        meter.count(names.OUTBOX_DEPTH)
    with pytest.raises(ValueError, match="is a counter"):
        meter.observe(names.DEGRADATIONS, 1.0, stage="a", reason="b")
    with pytest.raises(ValueError, match="is a histogram"):
        meter.gauge(names.STAGE_DURATION, 1.0, stage="a")


def test_a_flood_of_label_values_ends_in_one_series() -> None:
    meter = Meter()
    for number in range(MAX_SERIES + 50):
        meter.count(names.EVENTS_APPENDED, topic=str(number))
    assert meter.value(names.EVENTS_APPENDED, topic="other") == 50
    meter.count(names.EVENTS_APPENDED, topic="0")
    assert meter.value(names.EVENTS_APPENDED, topic="0") == 2
