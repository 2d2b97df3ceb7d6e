from __future__ import annotations

import asyncio
from contextlib import aclosing
from types import SimpleNamespace
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from loopwright.faults import RemoteFault
from loopwright.rpc import Deadline, RpcSettings, open_channel


async def _health(channel: grpc.aio.Channel, service: str = "") -> str:
    stub = health_pb2_grpc.HealthStub(channel)
    answer = await stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=2)
    return health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)


async def test_health_answers_for_the_server_and_each_service(echo: SimpleNamespace) -> None:
    async with echo.served() as server, open_channel(server.target) as channel:
        assert await _health(channel) == await _health(channel, echo.SERVICE) == "SERVING"


async def test_a_loading_server_is_not_ready_until_told(echo: SimpleNamespace) -> None:
    async with echo.served(ready=False) as server, open_channel(server.target) as channel:
        assert await _health(channel) == await _health(channel, echo.SERVICE) == "NOT_SERVING"
        await server.state.set_ready(True)
        assert await _health(channel) == await _health(channel, echo.SERVICE) == "SERVING"


async def test_reflection_lists_the_services_and_needs_no_deadline(echo: SimpleNamespace) -> None:
    async with echo.served() as server, grpc.aio.insecure_channel(server.target) as channel:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        ask = reflection_pb2.ServerReflectionRequest(list_services="")
        call = stub.ServerReflectionInfo(iter([ask]))
        answers = [answer async for answer in call]
    listed = {service.name for service in answers[0].list_services_response.service}
    assert listed == {echo.SERVICE, "grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"}


async def test_draining_refuses_new_work_only_at_the_stop_and_lets_running_calls_end(echo: SimpleNamespace) -> None:
    started, release = asyncio.Event(), asyncio.Event()
    seen: list[str] = []

    async def say(request: Any, context: Any) -> Any:
        started.set()
        await release.wait()
        seen.append("answered")
        return echo.Response(text="done")

    async with asyncio.TaskGroup() as tasks:
        async with open_channel_later(echo, say) as (server, channel):
            call = tasks.create_task(echo.Stub(channel).Say(echo.Request(text="x"), timeout=5))
            await started.wait()
            await server.state.drain()
            seen.append(await _health(channel))
            asyncio.get_running_loop().call_later(0.05, release.set)
            # Leaving the server's block now stops it while the call is still running.
            await server.close()
            seen.append("stopped")
            assert (await call).text == "done"
            with pytest.raises(RemoteFault) as caught:
                await echo.Stub(channel).Say(echo.Request(text="x"), timeout=1)
    assert seen == ["NOT_SERVING", "answered", "stopped"]
    assert caught.value.reason == "UNAVAILABLE"


class open_channel_later:
    """Opens a server that can be closed before its channel."""

    def __init__(self, echo: SimpleNamespace, say: Any) -> None:
        self._server, self._echo = echo.served(say), echo

    async def __aenter__(self) -> tuple[SimpleNamespace, grpc.aio.Channel]:
        found = await self._server.__aenter__()
        found.close = lambda: self._server.__aexit__(None, None, None)
        self._channel = open_channel(found.target)
        return found, await self._channel.__aenter__()

    async def __aexit__(self, *error: Any) -> None:
        await self._channel.__aexit__(None, None, None)


async def test_readiness_cannot_come_back_after_draining(echo: SimpleNamespace) -> None:
    async with echo.served() as server, open_channel(server.target) as channel:
        await server.state.drain()
        await server.state.set_ready(True)
        assert await _health(channel) == "NOT_SERVING"


async def test_calls_that_outlast_the_grace_are_cut(echo: SimpleNamespace) -> None:
    started = asyncio.Event()

    async def say(request: Any, context: Any) -> Any:
        started.set()
        await asyncio.sleep(60)

    async with asyncio.TaskGroup() as tasks:
        server = echo.served(say, settings=RpcSettings(grace_s=0.05))
        found = await server.__aenter__()
        async with open_channel(found.target) as channel:
            call = tasks.create_task(_reason(echo.Stub(channel).Say(echo.Request(text="x"), timeout=30)))
            await started.wait()
            await server.__aexit__(None, None, None)
            assert await call in ("UNAVAILABLE", "CANCELLED")


async def _reason(call: Any) -> str:
    try:
        await call
    except RemoteFault as fault:
        return fault.reason
    return "OK"


async def test_an_oversized_message_is_resource_exhausted_and_reaches_no_handler(echo: SimpleNamespace) -> None:
    settings = RpcSettings(max_message_bytes=1000)
    async with echo.served(settings=settings) as server, open_channel(server.target) as channel:
        assert await _reason(echo.Stub(channel).Say(echo.Request(text="x" * 2000), timeout=2)) == "RESOURCE_EXHAUSTED"
        stream = echo.Stub(channel).Collect(echo.stream_of("a", "x" * 2000), timeout=2)
        assert await _reason(stream) == "RESOURCE_EXHAUSTED"
        assert (await echo.Stub(channel).Say(echo.Request(text="x"), timeout=2)).text == "x"
        assert server.servicer.calls == 2  # the stream's handler and the last call


async def test_too_many_calls_at_once_are_refused(echo: SimpleNamespace) -> None:
    release = asyncio.Event()

    async def say(request: Any, context: Any) -> Any:
        await release.wait()
        return echo.Response(text="x")

    settings = RpcSettings(max_concurrent_rpcs=2, grace_s=0.5)
    async with echo.served(say, settings=settings) as server, open_channel(server.target) as channel:
        calls = [
            asyncio.ensure_future(_reason(echo.Stub(channel).Say(echo.Request(text="x"), timeout=5))) for _ in "123456"
        ]
        await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
        release.set()
        reasons = await asyncio.gather(*calls)
    assert set(reasons) == {"OK", "RESOURCE_EXHAUSTED"}
    assert reasons.count("OK") >= 2


async def test_a_taken_port_is_an_error_at_start(echo: SimpleNamespace) -> None:
    async with echo.served() as server:
        with pytest.raises(RuntimeError):
            async with echo.served(settings=RpcSettings(port=server.state.port)):
                pass


async def test_an_unknown_method_is_unimplemented(echo: SimpleNamespace) -> None:
    async with echo.served() as server, open_channel(server.target) as channel:
        assert await _reason(channel.unary_unary("/x.Y/Z")(b"", timeout=2)) == "UNIMPLEMENTED"


async def test_the_server_knows_its_address_and_services(echo: SimpleNamespace) -> None:
    async with echo.served() as server:
        assert server.state.services == (echo.SERVICE,)
        assert server.state.target == f"127.0.0.1:{server.state.port}"
        assert server.state.port > 0


async def test_a_handler_reads_its_deadline_from_the_context(echo: SimpleNamespace) -> None:
    async def say(request: Any, context: Any) -> Any:
        return echo.Response(text=str(0 < Deadline.of(context).remaining() <= 3.1))

    async with echo.served(say) as server, open_channel(server.target) as channel:
        assert (await echo.Stub(channel).Say(echo.Request(text="x"), timeout=3)).text == "True"


async def test_leaving_the_block_turns_health_off_while_calls_still_run(echo: SimpleNamespace) -> None:
    started, release = asyncio.Event(), asyncio.Event()
    order: list[str] = []

    async def say(request: Any, context: Any) -> Any:
        started.set()
        await release.wait()
        order.append("answered")
        return echo.Response(text="x")

    server = echo.served(say, settings=RpcSettings(grace_s=5))
    found = await server.__aenter__()
    async with open_channel(found.target) as channel, asyncio.TaskGroup() as tasks:
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(), timeout=20)
        async with aclosing(watch) as states:
            assert (await anext(states)).status == health_pb2.HealthCheckResponse.SERVING
            tasks.create_task(echo.Stub(channel).Say(echo.Request(text="x"), timeout=10))
            await started.wait()
            stop = tasks.create_task(server.__aexit__(None, None, None))
            assert (await anext(states)).status == health_pb2.HealthCheckResponse.NOT_SERVING
            order.append("not serving")
        release.set()
        await stop
        order.append("stopped")
    assert order == ["not serving", "answered", "stopped"]
