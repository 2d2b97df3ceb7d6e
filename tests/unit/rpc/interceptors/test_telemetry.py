from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from opentelemetry.trace import SpanKind, format_trace_id

from loopwright.faults import NotFound, NotReady, RemoteFault
from loopwright.rpc import open_channel
from loopwright.telemetry import Meter, names, span


def _server_spans(spans: Any) -> list[Any]:
    return [found for found in spans.get_finished_spans() if found.kind is SpanKind.SERVER]


async def test_a_server_span_has_the_stable_attributes_and_no_others(echo: SimpleNamespace, spans: Any) -> None:
    async with echo.served() as server, open_channel(server.target) as channel:
        await echo.Stub(channel).Say(echo.Request(text="x"), timeout=5)
    (found,) = _server_spans(spans)
    attributes = dict(found.attributes)
    assert 0 < attributes.pop("loopwright.deadline_remaining") <= 5.1
    assert attributes == {
        "rpc.system.name": "grpc",
        "rpc.method": f"{echo.SERVICE}/Say",
        "rpc.response.status_code": "OK",
    }
    assert found.name == f"{echo.SERVICE}/Say"


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        ("fault", "NOT_FOUND"),
        ("abort", "ALREADY_EXISTS"),
        ("crash", "INTERNAL"),
        ("set_code", "ABORTED"),
        ("lost", "UNAVAILABLE"),
    ],
)
async def test_the_final_status_is_measured_whatever_ended_the_call(
    echo: SimpleNamespace, spans: Any, behaviour: str, code: str
) -> None:
    async def say(request: Any, context: Any) -> Any:
        match behaviour:
            case "fault":
                raise NotFound()
            case "lost":
                raise NotReady()
            case "abort":
                await context.abort(grpc.StatusCode.ALREADY_EXISTS, "x")
            case "crash":
                raise ZeroDivisionError
            case _:
                context.set_code(grpc.StatusCode.ABORTED)
                return echo.Response()

    meter = Meter()
    async with echo.served(say, meter=meter) as server, open_channel(server.target) as channel:
        with pytest.raises(RemoteFault):
            await echo.Stub(channel).Say(echo.Request(text="x"), timeout=5)
    (found,) = _server_spans(spans)
    assert found.attributes["rpc.response.status_code"] == code
    # By the conventions only these two are the server's failure; the others tell the client about its own request.
    failed = code in {"INTERNAL", "UNAVAILABLE"}
    assert found.status.is_ok is not failed
    assert found.attributes.get("error.type") == (code if failed else None)
    assert meter.value(names.RPC_SERVER_DURATION, rpc_method=f"{echo.SERVICE}/Say", rpc_response_status_code=code) == 1


async def test_refusals_of_inner_layers_are_measured_too(echo: SimpleNamespace) -> None:
    meter = Meter()
    async with echo.served(meter=meter) as server, grpc.aio.insecure_channel(server.target) as channel:
        with pytest.raises(grpc.aio.AioRpcError):
            await echo.Stub(channel).Say(echo.Request(text="x"))  # no deadline
    labels = {"rpc_method": f"{echo.SERVICE}/Say", "rpc_response_status_code": "INVALID_ARGUMENT"}
    assert meter.value(names.RPC_SERVER_DURATION, **labels) == 1


async def test_a_handler_cut_by_the_deadline_counts_as_deadline_exceeded(echo: SimpleNamespace) -> None:
    async def say(request: Any, context: Any) -> Any:
        await asyncio.sleep(60)

    meter = Meter()
    labels = {"rpc_method": f"{echo.SERVICE}/Say", "rpc_response_status_code": "DEADLINE_EXCEEDED"}
    async with echo.served(say, meter=meter) as server, open_channel(server.target) as channel:
        with pytest.raises(RemoteFault) as caught:
            await echo.Stub(channel).Say(echo.Request(text="x"), timeout=0.1)
        async with asyncio.timeout(5):
            while not meter.value(names.RPC_SERVER_DURATION, **labels):
                await asyncio.sleep(0.01)
    assert caught.value.reason == "DEADLINE_EXCEEDED"


async def test_probes_of_health_have_no_span_but_are_measured(echo: SimpleNamespace, spans: Any) -> None:
    meter = Meter()
    method = "grpc.health.v1.Health/Check"
    async with echo.served(meter=meter) as server, grpc.aio.insecure_channel(server.target) as channel:
        await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=5)
    assert not spans.get_finished_spans()
    assert meter.value(names.RPC_SERVER_DURATION, rpc_method=method, rpc_response_status_code="OK") == 1


async def test_a_sampled_calls_duration_carries_its_trace(echo: SimpleNamespace, spans: Any) -> None:
    meter = Meter()
    async with echo.served(meter=meter) as server, open_channel(server.target, meter=meter) as channel:
        with span(names.RECOMMEND) as root:
            await echo.Stub(channel).Say(echo.Request(text="x"), timeout=5)
    trace_id = format_trace_id(root.get_span_context().trace_id)
    exemplars = {
        sample.name: sample.exemplar.labels
        for family in meter.registry.collect()
        for sample in family.samples
        if sample.exemplar
    }
    assert exemplars == {
        "rpc_server_call_duration_seconds_bucket": {"trace_id": trace_id},
        "rpc_client_call_duration_seconds_bucket": {"trace_id": trace_id},
    }
