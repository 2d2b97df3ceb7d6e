"""The kinds of entry in the names registry: span, attribute and metric, each with unit and meaning."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

LABELS = frozenset(
    {
        "rpc_method",
        "rpc_response_status_code",
        "stage",
        "reason",
        "source",
        "topic",
        "group",
        "model",
        "surface",
        "state",
        "kind",
        "outcome",
        "target",
    }
)
"""Every metric label that exists: each has few values. No user, item, subject or request id is ever one."""

WITHHELD = frozenset(
    {
        "user_id",
        "anonymous_id",
        "external_id",
        "subject",
        "session_id",
        "request_id",
        "query",
        "query_text",
        "email",
        "ip",
        "locale",
        "token",
        "exposure_token",
        "secret",
        "password",
        "subject_key",
    }
)
"""Last parts of names that point at a person or a secret: refused as attribute, withheld in logs."""


class MetricType(Enum):
    """How a metric's values add up."""

    COUNTER = "counter"
    HISTOGRAM = "histogram"
    GAUGE = "gauge"


# Entries are equal when they are the same constant: they are looked up at every span and count, and a hash over all
# their fields would cost as much as the count.
@dataclass(frozen=True, slots=True, eq=False)
class SpanName:
    """A span: `name` may hold one `{placeholder}`, filled when the span starts (a topic, a method)."""

    name: str
    meaning: str

    def filled(self, fill: str | None) -> str:
        """Returns the span's name with its placeholder filled.

        Raises:
            ValueError: a placeholder without a filling, or a filling without a placeholder.
        """
        head, brace, rest = self.name.partition("{")
        if bool(brace) != (fill is not None):
            raise ValueError(f"span {self.name!r}: placeholder and filling do not match (fill={fill!r})")
        return head + (fill or "") + rest.partition("}")[2] if brace else self.name


@dataclass(frozen=True, slots=True)
class Attribute:
    """A span attribute: its name, the type of its value, its unit ('' for none), its meaning."""

    name: str
    type: type[str] | type[int] | type[float] | type[bool]
    unit: str
    meaning: str

    def __post_init__(self) -> None:
        """Refuses names that point at a person or a secret."""
        if self.name.rpartition(".")[2] in WITHHELD:
            raise ValueError(f"attribute {self.name!r} would carry personal data or a secret")


@dataclass(frozen=True, slots=True, eq=False)
class Metric:
    """A metric: dotted name, type, unit, meaning, its labels, and for histograms the bucket bounds."""

    name: str
    type: MetricType
    unit: str
    meaning: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Refuses labels outside the allow-list and histograms without bounds."""
        if unknown := set(self.labels) - LABELS:
            raise ValueError(f"metric {self.name!r}: labels {sorted(unknown)} are not on the allow-list")
        if (self.type is MetricType.HISTOGRAM) != bool(self.buckets):
            raise ValueError(f"metric {self.name!r}: a histogram, and only a histogram, has buckets")

    @property
    def exposed_name(self) -> str:
        """The Prometheus name: underscores for dots, the unit as suffix (counters get `_total` too)."""
        plain = self.name.replace(".", "_")
        return f"{plain}_{self.unit}" if self.unit and not plain.endswith(self.unit) else plain
