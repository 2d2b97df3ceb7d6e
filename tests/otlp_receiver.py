"""The receiving end of a trace: a real OTLP/gRPC server that keeps what it gets, and two that are no use."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as pb
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import (
    TraceServiceServicer,
    add_TraceServiceServicer_to_server,
)


@dataclass(frozen=True)
class Received:
    """A span as it came over the wire; ids in hex, `links` as (trace id, span id)."""

    service: str
    instance: str
    name: str
    kind: int
    trace_id: str
    span_id: str
    parent_id: str
    attributes: dict[str, Any]
    links: tuple[tuple[str, str], ...]
    failed: bool


def _value(value: Any) -> Any:
    return getattr(value, value.WhichOneof("value"))


def _spans(request: pb.ExportTraceServiceRequest) -> Iterator[Received]:
    for of_resource in request.resource_spans:
        resource = {pair.key: _value(pair.value) for pair in of_resource.resource.attributes}
        for scope in of_resource.scope_spans:
            for span in scope.spans:
                yield Received(
                    service=resource["service.name"],
                    instance=resource.get("service.instance.id", ""),
                    name=span.name,
                    kind=span.kind,
                    trace_id=span.trace_id.hex(),
                    span_id=span.span_id.hex(),
                    parent_id=span.parent_span_id.hex(),
                    attributes={pair.key: _value(pair.value) for pair in span.attributes},
                    links=tuple((link.trace_id.hex(), link.span_id.hex()) for link in span.links),
                    failed=span.status.code == 2,
                )


class Receiver(TraceServiceServicer):
    """What came so far; exports arrive on threads of the server."""

    def __init__(self) -> None:
        self.endpoint = ""
        self.exports = 0
        self._lock = threading.Lock()
        self._spans: list[Received] = []

    def Export(self, request: pb.ExportTraceServiceRequest, context: Any) -> pb.ExportTraceServiceResponse:
        with self._lock:
            self.exports += 1
            self._spans += _spans(request)
        return pb.ExportTraceServiceResponse()

    @property
    def spans(self) -> list[Received]:
        with self._lock:
            return list(self._spans)


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Run a receiver on a free loopback port; `endpoint` is what the settings of a process take."""
    receiver = Receiver()
    server = grpc.server(ThreadPoolExecutor(2))
    add_TraceServiceServicer_to_server(receiver, server)
    receiver.endpoint = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield receiver
    finally:
        server.stop(None).wait()


@contextmanager
def refusing() -> Iterator[str]:
    """Yield an endpoint where nobody listens: the port stays bound, so nobody else can take it."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


@contextmanager
def hanging() -> Iterator[str]:
    """Yield an endpoint that takes connections and never says a word."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
