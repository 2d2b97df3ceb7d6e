"""The Prometheus port of a process: serves the meter's metrics over HTTP, by default on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import start_http_server

from loopwright.telemetry.metrics import METER, Meter


@contextmanager
def metrics_port(port: int, host: str = "127.0.0.1", meter: Meter = METER) -> Iterator[int]:
    """Serves `GET /metrics` from a thread of its own while the block runs.

    Args:
        port: TCP port; 0 takes a free one.
        host: address to bind; metrics tell about the business, so loopback by default.
        meter: whose metrics to serve.

    Yields:
        The bound port.

    Raises:
        OSError: the port is taken.
    """
    server, thread = start_http_server(port, addr=host, registry=meter.registry)
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
