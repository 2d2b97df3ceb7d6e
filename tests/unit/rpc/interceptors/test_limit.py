from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from loopwright.faults import Kind, RemoteFault
from loopwright.rpc import RpcSettings, open_channel
from loopwright.rpc.in_flight import InFlightLimit
from loopwright.telemetry import Meter, names


async def test_above_the_limit_calls_are_refused_with_a_wait_and_counted(echo: SimpleNamespace) -> None:
    release = asyncio.Event()

    async def say(request: Any, context: Any) -> Any:
        await release.wait()
        return echo.Response(text="x")

    meter = Meter()
    settings = RpcSettings(max_in_flight=2, start_in_flight=2, grace_s=0.5)
    async with echo.served(say, settings=settings, meter=meter) as server, open_channel(server.target) as channel:
        stub = echo.Stub(channel)
        kept = [asyncio.ensure_future(stub.Say(echo.Request(text="x"), timeout=5)) for _ in "12"]
        while server.servicer.calls < 2:
            await asyncio.sleep(0.001)
        with pytest.raises(RemoteFault) as caught:
            await stub.Say(echo.Request(text="x"), timeout=5)
        health = health_pb2_grpc.HealthStub(channel)
        assert (await health.Check(health_pb2.HealthCheckRequest(), timeout=2)).status == 1
        release.set()
        assert [(await call).text for call in kept] == ["x", "x"]
        assert (await stub.Say(echo.Request(text="x"), timeout=5)).text == "x"
    fault = caught.value
    assert (fault.kind, fault.reason, fault.retryable) == (Kind.RESOURCE_EXHAUSTED, "OVERLOADED", True)
    assert fault.retry_after_s == 1.0
    assert server.servicer.calls == 3
    assert meter.value(names.REQUESTS_SHED, rpc_method=f"{echo.SERVICE}/Say") == 1
    assert meter.value(names.IN_FLIGHT_LIMIT) == 2


async def test_a_place_is_given_back_however_the_call_ends(echo: SimpleNamespace, monkeypatch: Any) -> None:
    ends: list[bool] = []
    leave = InFlightLimit.leave

    def noted(self: InFlightLimit, ticket: Any, answered: bool) -> None:
        leave(self, ticket, answered)
        ends.append(answered)

    async def say(request: Any, context: Any) -> Any:
        if request.text == "fail":
            raise ValueError
        if request.text == "hang":
            await asyncio.sleep(60)
        return echo.Response(text="x")

    monkeypatch.setattr(InFlightLimit, "leave", noted)
    settings = RpcSettings(max_in_flight=2, start_in_flight=2, grace_s=0.5)
    async with echo.served(say, settings=settings) as server, open_channel(server.target) as channel:
        stub = echo.Stub(channel)
        for text in ("fail", "", "hang", "x", "x"):
            try:
                await stub.Say(echo.Request(text=text), timeout=0.3 if text == "hang" else 5)
            except RemoteFault as fault:
                assert fault.reason != "OVERLOADED"
        while len(ends) < 5:
            await asyncio.sleep(0.001)
    assert ends == [False, False, False, True, True]


async def test_without_a_limit_nothing_is_refused(echo: SimpleNamespace) -> None:
    async with echo.served() as server, grpc.aio.insecure_channel(server.target) as channel:
        calls = [echo.Stub(channel).Say(echo.Request(text="x"), timeout=5) for _ in range(50)]
        assert {(await call).text for call in calls} == {"x"}
