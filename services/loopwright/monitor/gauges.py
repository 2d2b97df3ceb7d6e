"""Puts a summary on the Prometheus gauges of the registry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from loopwright.monitor.progress import Lag
from loopwright.telemetry import METER, Meter, names


def set_lags(lags: Sequence[Lag], meter: Meter = METER) -> None:
    """Set each consumer's lag, that of its replica furthest behind."""
    worst: dict[tuple[str, str], int] = {}
    for lag in lags:
        key = (lag.topic, lag.consumer)
        worst[key] = max(worst.get(key, 0), lag.records)
    for (topic, consumer), records in worst.items():
        meter.gauge(names.CONSUMER_LAG, records, topic=topic, group=consumer)


def set_shares(summary: Mapping[str, Any], meter: Meter = METER) -> None:
    """Set what is known of each surface."""
    for surface, figures in summary["surfaces"].items():
        for state, count in figures["accounting"].items():
            if state == "unmatched":
                meter.gauge(names.IMPRESSIONS_UNMATCHED, count, surface=surface)
            else:
                meter.gauge(names.IMPRESSIONS_ACCOUNTED, count, surface=surface, state=state)
        for kind in ("items", "creators"):
            spread = figures[kind]
            meter.gauge(names.EXPOSURE_GINI, spread["gini"], surface=surface, kind=kind)
            meter.gauge(names.EXPOSURE_TOP_SHARE, spread["top_1pct_share"], surface=surface, kind=kind)
            meter.gauge(names.EXPOSURE_COVERAGE, spread["coverage"], surface=surface, kind=kind)
        for source, share in figures["sources"].items():
            meter.gauge(names.EXPOSURE_SOURCE_SHARE, share, surface=surface, source=source)
        for scheme, share in figures["schemes"].items():
            meter.gauge(names.EXPOSURE_SCHEME_SHARE, share, surface=surface, kind=scheme)
        meter.gauge(names.EXPOSURE_FRESH_SHARE, figures["fresh_share"], surface=surface)
        if figures["undegraded_share"] is not None:
            meter.gauge(names.DEGRADED_SHARE, 1.0 - figures["undegraded_share"], surface=surface)
