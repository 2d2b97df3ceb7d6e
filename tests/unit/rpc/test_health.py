from __future__ import annotations

import asyncio
from types import SimpleNamespace

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from loopwright.rpc import RpcSettings, open_channel

State = health_pb2.HealthCheckResponse.ServingStatus


async def test_an_open_watch_is_told_and_ended_by_the_drain(echo: SimpleNamespace) -> None:
    async with echo.served() as server, open_channel(server.target) as channel:
        told: list[str] = []

        async def watch() -> None:
            call = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(), timeout=30)
            async for answer in call:
                told.append(State.Name(answer.status))

        watching = asyncio.ensure_future(watch())
        while not told:
            await asyncio.sleep(0.001)
        await server.state.set_ready(False)
        await server.state.set_ready(True)
        await server.state.drain()
        await watching  # ends without error
    assert (told[0], told[-1]) == ("SERVING", "NOT_SERVING")


async def test_watches_do_not_hold_up_the_stop(echo: SimpleNamespace) -> None:
    server = echo.served(settings=RpcSettings(grace_s=600))  # beyond the test's own limit
    found = await server.__aenter__()
    async with grpc.aio.insecure_channel(found.target) as channel:
        calls = [health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest()) for _ in range(3)]
        for call in calls:
            assert await call.read() is not grpc.aio.EOF
        await server.__aexit__(None, None, None)
        for call in calls:
            answers = [State.Name(answer.status) async for answer in _rest(call)]
            assert answers == ["NOT_SERVING"]


async def _rest(call: grpc.aio.UnaryStreamCall) -> object:  # type: ignore[type-arg]
    while (answer := await call.read()) is not grpc.aio.EOF:
        yield answer


async def test_an_unknown_service_is_not_found_and_its_watch_says_unknown(echo: SimpleNamespace) -> None:
    async with echo.served() as server, grpc.aio.insecure_channel(server.target) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        request = health_pb2.HealthCheckRequest(service="nobody")
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.Check(request, timeout=2)
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND
        watch = stub.Watch(request, timeout=20)
        assert (await watch.read()).status == State.Value("SERVICE_UNKNOWN")
        watch.cancel()


async def test_a_list_names_every_service_with_its_state(echo: SimpleNamespace) -> None:
    async with echo.served() as server, grpc.aio.insecure_channel(server.target) as channel:
        await server.state.set_ready(False)
        method = channel.unary_unary("/grpc.health.v1.Health/List", None, health_pb2.HealthListResponse.FromString)
        answer = await method(b"", timeout=5)
    assert {name: State.Name(one.status) for name, one in answer.statuses.items()} == {
        "": "NOT_SERVING",
        echo.SERVICE: "NOT_SERVING",
    }
