"""`SpanSink`: finished spans go in and never wait; a thread of its own sends them on in batches.

`configure` makes one over the OTLP exporter. A sink that refuses, hangs or is slow costs spans, which are counted, and
nothing else.
"""

from __future__ import annotations

import threading
import time
from collections import deque

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from loopwright.telemetry import names
from loopwright.telemetry.logs import get_logger
from loopwright.telemetry.metrics import METER, Meter
from loopwright.telemetry.settings import TelemetrySettings

_LOG = get_logger(__name__)
_LAST_WORDS_S = 0.2
"""Time for the thread to notice that its exporter was shut under it."""


def otlp_exporter(settings: TelemetrySettings) -> SpanExporter:
    """Returns the exporter of OTLP over gRPC; nothing is connected before the first batch."""
    # Half a second of imports on a busy machine, which only processes that export have to pay.
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

    secure = settings.otlp_endpoint.startswith("https://")
    return OTLPSpanExporter(
        endpoint=settings.otlp_endpoint, insecure=not secure, timeout=settings.export_timeout_ms / 1000
    )


class SpanSink:
    """A bounded queue before an exporter.

    The SDK's own batch processor waits up to 30 s for a hanging exporter at shutdown, and counts what it drops only
    in metrics of its own; hence this one.
    """

    def __init__(self, exporter: SpanExporter, settings: TelemetrySettings, meter: Meter = METER) -> None:
        """Start the thread.

        Args:
            exporter: Where batches go; called from the sink's thread only, but for its `shutdown`.
            settings: Bounds and times.
            meter: Where spans are counted by their fate.
        """
        self._exporter, self._settings, self._meter = exporter, settings, meter
        self._queue: deque[ReadableSpan] = deque()
        self._wake = threading.Event()
        self._ends_at: float | None = None
        self._thread = threading.Thread(target=self._run, name="trace-export", daemon=True)
        self._thread.start()

    def put(self, span: ReadableSpan) -> None:
        """Queue a span, or drop it when the queue is full; never waits."""
        if self._ends_at is not None or len(self._queue) >= self._settings.queue_spans:
            self._count("dropped", 1)
            return
        self._queue.append(span)
        if len(self._queue) >= self._settings.batch_spans and not self._wake.is_set():
            self._wake.set()

    def shutdown(self) -> None:
        """Send what waits within `shutdown_timeout_ms`, then cut the exporter off."""
        if self._ends_at is not None:
            return
        wait_s = self._settings.shutdown_timeout_ms / 1000
        self._ends_at = time.monotonic() + wait_s
        self._wake.set()
        self._thread.join(wait_s)
        self._exporter.shutdown()  # cancels a call that hangs
        self._thread.join(_LAST_WORDS_S)
        if self._queue:
            self._count("dropped", len(self._queue))

    def _run(self) -> None:
        while self._ends_at is None:
            self._wake.wait(self._settings.schedule_delay_ms / 1000)
            self._wake.clear()
            while self._queue and self._ends_at is None and self._export():
                continue
        while self._queue and time.monotonic() < self._ends_at and self._export():
            continue

    def _export(self) -> bool:
        """Send one batch; False when it was refused, so that nobody hurries to send the next."""
        batch = [self._queue.popleft() for _ in range(min(len(self._queue), self._settings.batch_spans))]
        try:
            done = self._exporter.export(batch) is SpanExportResult.SUCCESS
        except Exception as error:  # an exporter of others must not end the thread: later batches may go through
            _LOG.error("spans could not be exported", extra={"spans": len(batch)}, exc_info=error)
            done = False
        self._count("exported" if done else "refused", len(batch))
        return done

    def _count(self, outcome: str, spans: int) -> None:
        self._meter.count(names.TRACE_SPANS, spans, outcome=outcome)
