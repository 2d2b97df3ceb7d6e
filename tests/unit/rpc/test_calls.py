from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import grpc
import pytest
from opentelemetry.trace import SpanKind

from loopwright.faults import DeadlineExceeded, DeadlineMissing, RemoteFault
from loopwright.rpc import ChannelSettings, open_channel
from loopwright.rpc.calls import Outgoing
from loopwright.rpc.deadline import Deadline, bound
from loopwright.telemetry import Meter, names, span


def _deadline(seconds: float) -> Deadline:
    return Deadline(100.0 + seconds, lambda: 100.0)


@pytest.mark.parametrize(
    ("left", "wanted", "expected"),
    [(1.0, None, 0.75), (1.0, 0.5, 0.5), (1.0, 5.0, 0.75), (None, 3.0, 3.0)],
)
def test_a_call_gets_what_is_wanted_but_never_the_reserve(
    left: float | None, wanted: float | None, expected: float
) -> None:
    outgoing = Outgoing("t", 0.25)
    if left is None:
        assert outgoing.timeout(wanted) == expected
        return
    with bound(_deadline(left)):
        assert outgoing.timeout(wanted) == expected


def test_nothing_is_sent_when_only_the_reserve_is_left() -> None:
    with bound(_deadline(0.25)), pytest.raises(DeadlineExceeded):
        Outgoing("t", 0.25).timeout(1.0)


def test_no_limit_at_all_is_refused() -> None:
    with pytest.raises(DeadlineMissing):
        Outgoing("t", 0.25).timeout(None)


async def test_the_deadline_shrinks_by_the_reserve_at_every_hop(echo: SimpleNamespace) -> None:
    seen: list[float] = []

    async def leaf(request: Any, context: Any) -> Any:
        seen.append(context.time_remaining())
        return echo.Response(text="leaf")

    async with echo.served(leaf) as back:
        async with open_channel(back.target, ChannelSettings(reserve_s=2.0)) as inner:

            async def front(request: Any, context: Any) -> Any:
                seen.append(context.time_remaining())
                return await echo.Stub(inner).Say(echo.Request(text="x"))  # no time-out: the caller's counts

            async with echo.served(front) as server, open_channel(server.target) as channel:
                assert (await echo.Stub(channel).Say(echo.Request(text="x"), timeout=10)).text == "leaf"
    assert seen[1] <= seen[0] - 1.9


async def test_one_trace_goes_through_two_hops(echo: SimpleNamespace, spans: Any) -> None:
    async with echo.served() as back, open_channel(back.target) as inner:

        async def front(request: Any, context: Any) -> Any:
            with span(names.RETRIEVE):
                return await echo.Stub(inner).Say(request)

        async with echo.served(front) as server, open_channel(server.target) as channel:
            with span(names.RECOMMEND) as root:
                await echo.Stub(channel).Say(echo.Request(text="x"), timeout=5)
    found = spans.get_finished_spans()
    assert {s.context.trace_id for s in found} == {root.get_span_context().trace_id}
    by_id = {s.context.span_id: s for s in found}
    leaf = next(
        s
        for s in found
        if s.kind is SpanKind.SERVER and by_id[by_id[s.parent.span_id].parent.span_id].name == "retrieve"
    )
    path = []
    while leaf is not None:
        path.append((leaf.kind.name, leaf.name.rpartition("/")[2]))
        leaf = by_id.get(leaf.parent.span_id) if leaf.parent else None
    assert path == [
        ("SERVER", "Say"),
        ("CLIENT", "Say"),
        ("INTERNAL", "retrieve"),
        ("SERVER", "Say"),
        ("CLIENT", "Say"),
        ("INTERNAL", "recommend"),
    ]


async def test_a_call_that_fails_before_it_is_sent_is_no_success(echo: SimpleNamespace, spans: Any) -> None:
    meter = Meter()
    async with echo.served() as server, open_channel(server.target, meter=meter) as channel:
        stub = echo.Stub(channel)
    with pytest.raises(grpc.aio.UsageError):
        await stub.Say(echo.Request(text="x"), timeout=5)
    [failed] = [s for s in spans.get_finished_spans() if s.kind is SpanKind.CLIENT]
    assert failed.attributes["rpc.response.status_code"] == failed.attributes["error.type"] == "UNKNOWN"
    told = {"rpc_method": f"{echo.SERVICE}/Say", "rpc_response_status_code": "UNKNOWN"}
    assert meter.value(names.RPC_CLIENT_DURATION, **told) == 1


async def test_a_client_span_has_the_stable_attributes(echo: SimpleNamespace, spans: Any) -> None:
    meter = Meter()
    async with echo.served() as server, open_channel(server.target, meter=meter) as channel:
        await echo.Stub(channel).Say(echo.Request(text="x"), timeout=5)
        with pytest.raises(RemoteFault):
            await echo.Stub(channel).Say(echo.Request(), timeout=5)
    good, bad = [s for s in spans.get_finished_spans() if s.kind is SpanKind.CLIENT]
    method = f"{echo.SERVICE}/Say"
    assert good.name == method
    assert dict(good.attributes) == {
        "rpc.system.name": "grpc",
        "rpc.method": method,
        "server.address": "127.0.0.1",
        "server.port": server.state.port,
        "rpc.response.status_code": "OK",
    }
    assert bad.attributes["rpc.response.status_code"] == bad.attributes["error.type"] == "INVALID_ARGUMENT"
    assert bad.attributes["loopwright.fault"] == "INVALID_REQUEST"
    for code in ("OK", "INVALID_ARGUMENT"):
        assert meter.value(names.RPC_CLIENT_DURATION, rpc_method=method, rpc_response_status_code=code) == 1
