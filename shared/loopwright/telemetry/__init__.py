"""Telemetry: one registry of names, spans with W3C context, Prometheus metrics, JSON logs on stderr."""

from loopwright.telemetry import names
from loopwright.telemetry.consuming import processing
from loopwright.telemetry.logs import get_logger
from loopwright.telemetry.metrics import METER, Meter, count, gauge, observe
from loopwright.telemetry.metrics_http import metrics_port
from loopwright.telemetry.settings import TelemetrySettings
from loopwright.telemetry.setup import configure
from loopwright.telemetry.targets import server_attributes
from loopwright.telemetry.tracing import extract, inject, inject_headers, link_to, open_span, span

__all__ = [
    "METER",
    "Meter",
    "TelemetrySettings",
    "configure",
    "count",
    "extract",
    "gauge",
    "get_logger",
    "inject",
    "inject_headers",
    "link_to",
    "metrics_port",
    "names",
    "observe",
    "open_span",
    "processing",
    "server_attributes",
    "span",
]
