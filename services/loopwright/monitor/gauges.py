"""Puts a summary on the Prometheus gauges of the registry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from loopwright.monitor.progress import Lag
from loopwright.telemetry import METER, Meter, names
from loopwright.telemetry.entries import Metric

_Series = dict[tuple[Metric, tuple[tuple[str, str], ...]], float]


class Gauges:
    """Writes whole pictures: what an earlier one had and this one lacks is set to 0, as a meter removes no series.

    Args:
        meter: Where the gauges are.
    """

    def __init__(self, meter: Meter = METER) -> None:
        self._meter = meter
        self._lags: _Series = {}
        self._shares: _Series = {}

    def set_lags(self, lags: Sequence[Lag]) -> None:
        """Set each consumer's lag, that of its replica furthest behind."""
        worst: _Series = {}
        for lag in lags:
            key = _series(names.CONSUMER_LAG, topic=lag.topic, group=lag.consumer)
            worst[key] = max(worst.get(key, 0), lag.records)
        self._lags = self._written(worst, self._lags)

    def set_shares(self, summary: Mapping[str, Any]) -> None:
        """Set what is known of each surface."""
        found: _Series = {}
        for surface, figures in summary["surfaces"].items():
            found |= _of_surface(surface, figures)
        self._shares = self._written(found, self._shares)

    def _written(self, now: _Series, before: _Series) -> _Series:
        for metric, labels in before.keys() - now.keys():
            self._meter.gauge(metric, 0.0, **dict(labels))
        for (metric, labels), value in now.items():
            self._meter.gauge(metric, value, **dict(labels))
        return now


def _of_surface(surface: str, figures: Mapping[str, Any]) -> _Series:
    found: _Series = {}
    for state, count in figures["accounting"].items():
        if state == "unmatched":
            found[_series(names.IMPRESSIONS_UNMATCHED, surface=surface)] = count
        else:
            found[_series(names.IMPRESSIONS_ACCOUNTED, surface=surface, state=state)] = count
    for kind in ("items", "creators"):
        spread = figures[kind]
        found[_series(names.EXPOSURE_GINI, surface=surface, kind=kind)] = spread["gini"]
        found[_series(names.EXPOSURE_TOP_SHARE, surface=surface, kind=kind)] = spread["top_1pct_share"]
        found[_series(names.EXPOSURE_COVERAGE, surface=surface, kind=kind)] = spread["coverage"]
    for source, share in figures["sources"].items():
        found[_series(names.EXPOSURE_SOURCE_SHARE, surface=surface, source=source)] = share
    for scheme, share in figures["schemes"].items():
        found[_series(names.EXPOSURE_SCHEME_SHARE, surface=surface, kind=scheme)] = share
    found[_series(names.EXPOSURE_FRESH_SHARE, surface=surface)] = figures["fresh_share"]
    if figures["undegraded_share"] is not None:
        found[_series(names.DEGRADED_SHARE, surface=surface)] = 1.0 - figures["undegraded_share"]
    return found


def _series(metric: Metric, **labels: str) -> tuple[Metric, tuple[tuple[str, str], ...]]:
    return metric, tuple(labels.items())
