"""Prometheus metrics made only from the registry: a metric, its labels and its bounds come from `names`."""

from __future__ import annotations

from opentelemetry.trace import Span, format_trace_id, get_current_span
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from loopwright.telemetry import names
from loopwright.telemetry.entries import Metric, MetricType

MAX_SERIES = 500
"""Label combinations per metric; later ones share the label value `other`, so memory stays bounded."""


class Meter:
    """Counts, observes and sets registered metrics on one Prometheus collector registry.

    All registered metrics exist from the start, so that a dashboard can tell "none yet" from "not measured".
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        self._metrics = {entry: self._create(entry) for entry in names.METRICS}
        self._children: dict[tuple[Metric, tuple[str, ...]], Counter | Gauge | Histogram] = {}
        self._found: dict[tuple[Metric, tuple[tuple[str, str], ...]], Counter | Gauge | Histogram] = {}
        self._series: dict[Metric, int] = dict.fromkeys(names.METRICS, 0)

    def _create(self, entry: Metric) -> Counter | Gauge | Histogram:
        if entry.type is MetricType.HISTOGRAM:
            return Histogram(
                entry.exposed_name, entry.meaning, entry.labels, registry=self.registry, buckets=entry.buckets
            )
        create = Counter if entry.type is MetricType.COUNTER else Gauge
        return create(entry.exposed_name, entry.meaning, entry.labels, registry=self.registry)

    def count(self, metric: Metric, amount: float = 1, /, **labels: str) -> None:
        """Adds to a counter.

        Raises:
            LookupError: the metric is not registered.
            ValueError: it is not a counter, or the labels are not exactly its declared ones.
        """
        child = self._child(metric, MetricType.COUNTER, labels)
        assert isinstance(child, Counter)
        child.inc(amount)

    def observe(self, metric: Metric, value: float, within: Span | None = None, /, **labels: str) -> None:
        """Puts a value into a histogram (durations in seconds), with the trace as its exemplar when it is sampled.

        Args:
            metric: A histogram of the registry.
            value: In the metric's unit.
            within: The span that was measured, by default the current one.
            labels: The metric's labels, all of them.

        Raises:
            LookupError: the metric is not registered.
            ValueError: it is not a histogram, or the labels are not exactly its declared ones.
        """
        child = self._child(metric, MetricType.HISTOGRAM, labels)
        assert isinstance(child, Histogram)
        context = (get_current_span() if within is None else within).get_span_context()
        child.observe(value, {"trace_id": format_trace_id(context.trace_id)} if context.trace_flags.sampled else None)

    def gauge(self, metric: Metric, value: float, /, **labels: str) -> None:
        """Sets a gauge.

        Raises:
            LookupError: the metric is not registered.
            ValueError: it is not a gauge, or the labels are not exactly its declared ones.
        """
        child = self._child(metric, MetricType.GAUGE, labels)
        assert isinstance(child, Gauge)
        child.set(value)

    def value(self, metric: Metric, /, **labels: str) -> float:
        """Returns a counter's or gauge's value, or a histogram's number of observations; 0 if untouched."""
        suffix = {MetricType.COUNTER: "_total", MetricType.HISTOGRAM: "_count", MetricType.GAUGE: ""}[metric.type]
        return self.registry.get_sample_value(metric.exposed_name + suffix, labels) or 0.0

    def _child(self, metric: Metric, wanted: MetricType, labels: dict[str, str]) -> Counter | Gauge | Histogram:
        key = (metric, tuple(labels.items()))
        found = self._found.get(key)
        if found is not None and metric.type is wanted:
            return found
        if metric not in self._metrics:
            raise LookupError(f"metric {metric.name!r} is not in the registry of telemetry names")
        if metric.type is not wanted:
            raise ValueError(f"metric {metric.name!r} is a {metric.type.value}, not a {wanted.value}")
        if labels.keys() != set(metric.labels):
            raise ValueError(f"metric {metric.name!r} has labels {metric.labels}, got {tuple(labels)}")
        if not metric.labels:
            return self._found.setdefault(key, self._metrics[metric])
        values = tuple(labels[name] for name in metric.labels)
        child = self._children.get((metric, values))
        if child is None and self._series[metric] < MAX_SERIES:
            self._series[metric] += 1
            child = self._children[metric, values] = self._metrics[metric].labels(*values)
        if child is None:  # not noted under its own labels, of which there may be ever more
            return self._metrics[metric].labels(*("other",) * len(values))
        return self._found.setdefault(key, child)


METER = Meter()
"""The process's meter: metrics are per process by nature; tests make their own or compare differences."""
count, observe, gauge = METER.count, METER.observe, METER.gauge
