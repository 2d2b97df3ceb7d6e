from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import grpc
import pytest

from loopwright.faults import RemoteFault
from loopwright.rpc import current_deadline, fault_from_call, open_channel
from loopwright.rpc.interceptors.deadline import DeadlineLayer
from loopwright.rpc.interceptors.layer import Method
from loopwright.telemetry import Meter, names


@pytest.mark.parametrize("kind", ["Say", "Collect"])
async def test_a_call_without_a_deadline_is_refused_before_the_handler(echo: SimpleNamespace, kind: str) -> None:
    async with echo.served() as server, grpc.aio.insecure_channel(server.target) as channel:
        stub = echo.Stub(channel)
        request = echo.Request(text="x") if kind == "Say" else echo.stream_of("x")
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await getattr(stub, kind)(request)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert fault_from_call(caught.value).reason == "DEADLINE_REQUIRED"
    assert server.servicer.calls == 0


async def test_the_deadline_is_current_inside_unary_and_streaming_handlers(echo: SimpleNamespace) -> None:
    async def say(request: Any, context: Any) -> Any:
        deadline = current_deadline()
        return echo.Response(text=str(deadline is not None and 0 < deadline.remaining() <= 7.1))

    async with echo.served(say) as server, open_channel(server.target) as channel:
        assert (await echo.Stub(channel).Say(echo.Request(text="x"), timeout=7)).text == "True"
        answers = [a.text async for a in echo.Stub(channel).Count(echo.Request(text="x"), timeout=7)]
    assert answers == ["first", "True"]
    assert current_deadline() is None


@pytest.mark.parametrize(
    ("past_s", "computed_s", "overruns"),
    [(-0.1, 0.9, 0), (0.04, 0.9, 0), (0.06, 0.06, 1), (0.06, 0.04, 0), (0.26, 0.0, 1)],
    ids=["in time", "unwinding", "overrun", "starved", "lingering"],
)
@pytest.mark.parametrize("end", ["answer", "cancelled"])
async def test_a_handler_that_works_well_past_its_deadline_is_an_overrun(
    past_s: float, computed_s: float, overruns: int, end: str
) -> None:
    now, computed = [100.0], [7.0]

    async def handler(request: Any, context: Any) -> str:
        now[0] += 1.0 + past_s
        computed[0] += computed_s
        if end == "cancelled":
            raise asyncio.CancelledError
        return "late"

    meter = Meter()
    context: Any = SimpleNamespace(time_remaining=lambda: 1.0)
    layer = DeadlineLayer(meter, lambda: now[0], computed=lambda: computed[0])
    try:
        await layer.handle(Method("p.S/M", infrastructure=False), handler, "x", context)
    except asyncio.CancelledError:
        assert end == "cancelled"
    assert meter.value(names.RPC_OVERRUNS, rpc_method="p.S/M") == overruns


async def test_a_cancelled_handler_that_takes_long_to_unwind_is_an_overrun(echo: SimpleNamespace) -> None:
    ended = asyncio.Event()

    async def say(request: Any, context: Any) -> Any:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.3)
            ended.set()

    meter = Meter()
    async with echo.served(say, meter=meter) as server, open_channel(server.target) as channel:
        with pytest.raises(RemoteFault):
            await echo.Stub(channel).Say(echo.Request(text="x"), timeout=0.1)
        await ended.wait()
    assert meter.value(names.RPC_OVERRUNS, rpc_method=f"{echo.SERVICE}/Say") == 1


async def test_a_call_whose_time_is_over_is_told_of_and_not_begun() -> None:
    told: list[str] = []

    async def abort(status: Any) -> None:
        told.append(status.details)
        raise grpc.aio.AbortError

    async def handler(request: Any, context: Any) -> str:
        raise AssertionError("begun")

    context: Any = SimpleNamespace(time_remaining=lambda: 0.0, abort_with_status=abort)
    layer = DeadlineLayer(Meter(), expired=lambda: told.append("expired"))
    with pytest.raises(grpc.aio.AbortError):
        await layer.handle(Method("p.S/M", infrastructure=False), handler, "x", context)
    assert told == ["expired", "The deadline passed before the work was done."]
