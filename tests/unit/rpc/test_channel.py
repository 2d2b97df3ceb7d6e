from __future__ import annotations

import asyncio
from contextlib import aclosing
from types import SimpleNamespace
from typing import Any

import pytest

from loopwright.faults import BreakerOpen, Conflict, DeadlineMissing, InvalidRequest, Kind, NotReady, RemoteFault
from loopwright.rpc import BreakerSettings, ChannelSettings, Guard, RetryPolicy, RpcSettings, open_channel
from loopwright.telemetry import Meter, names


async def test_all_four_kinds_of_call_work_through_generated_stubs(echo: SimpleNamespace) -> None:
    async with echo.served() as server, open_channel(server.target) as channel:
        stub = echo.Stub(channel)
        assert (await stub.Say(echo.Request(text="hi"), timeout=2)).text == "hi"
        assert [r.text async for r in stub.Count(echo.Request(text="abc"), timeout=2)] == ["a", "b", "c"]
        assert (await stub.Collect(echo.stream_of("a", "b"), timeout=2)).text == "ab"
        assert [r.text async for r in stub.Chat(echo.stream_of("a", "b"), timeout=2)] == ["a", "b"]


async def test_a_call_without_any_deadline_is_not_sent(echo: SimpleNamespace) -> None:
    async with echo.served() as server, open_channel(server.target) as channel:
        with pytest.raises(DeadlineMissing):
            await echo.Stub(channel).Say(echo.Request(text="x"))
        with pytest.raises(DeadlineMissing):
            await anext(echo.Stub(channel).Count(echo.Request(text="x")))
        assert server.servicer.calls == 0


async def test_a_fault_arrives_as_a_remote_fault_with_its_violations(echo: SimpleNamespace) -> None:
    async def say(request: Any, context: Any) -> Any:
        raise Conflict("someone was faster", metadata={"active": "abc"}, retry_after_s=1.5)

    async with echo.served(say) as server, open_channel(server.target) as channel:
        with pytest.raises(RemoteFault) as caught:
            await echo.Stub(channel).Say(echo.Request(text="x"), timeout=2)
        fault = caught.value
        assert (fault.kind, fault.reason, fault.message) == (Kind.ABORTED, "CONFLICT", "someone was faster")
        assert (fault.retryable, dict(fault.metadata)) == (False, {"active": "abc"})
        with pytest.raises(RemoteFault) as caught:
            await echo.Stub(channel).Say(echo.Request(text=""), timeout=2)
        assert caught.value.reason == InvalidRequest.reason
        assert [(v.field, v.rule) for v in caught.value.violations] == [("text", "string.min_len")]


async def test_a_fault_in_the_middle_of_a_stream_keeps_what_came_before(echo: SimpleNamespace) -> None:
    async def say(request: Any, context: Any) -> Any:
        raise Conflict()

    got: list[str] = []
    async with echo.served(say) as server, open_channel(server.target) as channel:
        with pytest.raises(RemoteFault) as caught:
            async for answer in echo.Stub(channel).Count(echo.Request(text="x"), timeout=2):
                got.append(answer.text)
    assert (got, caught.value.reason) == (["first"], "CONFLICT")


async def test_nobody_listening_is_unavailable_within_the_deadline() -> None:
    async with open_channel("127.0.0.1:1") as channel:
        with pytest.raises(RemoteFault) as caught:
            await channel.unary_unary("/x.Y/Z")(b"", timeout=1)
    assert (caught.value.kind, caught.value.retryable) == (Kind.UNAVAILABLE, True)


async def test_cancelling_the_task_cancels_the_handler(echo: SimpleNamespace) -> None:
    started, cancelled = asyncio.Event(), asyncio.Event()

    async def say(request: Any, context: Any) -> Any:
        started.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    meter = Meter()
    async with echo.served(say, meter=meter) as server, open_channel(server.target, meter=meter) as channel:
        call = asyncio.ensure_future(echo.Stub(channel).Say(echo.Request(text="x"), timeout=30))
        await started.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        async with asyncio.timeout(5):
            await cancelled.wait()
    labels = {"rpc_method": f"{echo.SERVICE}/Say", "rpc_response_status_code": "CANCELLED"}
    assert meter.value(names.RPC_CLIENT_DURATION, **labels) == 1
    assert meter.value(names.RPC_SERVER_DURATION, **labels) == 1


async def test_leaving_a_stream_early_closes_the_handlers_generator(echo: SimpleNamespace) -> None:
    async def say(request: Any, context: Any) -> Any:
        await asyncio.sleep(60)

    async with echo.served(say) as server, open_channel(server.target) as channel:
        async with aclosing(echo.Stub(channel).Count(echo.Request(text="x"), timeout=30)) as answers:
            async for answer in answers:
                assert answer.text == "first"
                break
        async with asyncio.timeout(5):
            while not server.servicer.closed:
                await asyncio.sleep(0.01)


async def test_calls_go_round_robin_and_survive_the_death_of_one_backend(echo: SimpleNamespace) -> None:
    async with echo.served() as one:
        second = echo.served()
        two = await second.__aenter__()
        target = f"ipv4:{one.target},{two.target}"
        async with open_channel(target) as channel:
            stub = echo.Stub(channel)
            for _ in range(30):
                await stub.Say(echo.Request(text="x"), timeout=2)
            assert one.servicer.calls > 5 and two.servicer.calls > 5
            await second.__aexit__(None, None, None)
            for _ in range(10):
                assert (await stub.Say(echo.Request(text="x"), timeout=2)).text == "x"


@pytest.mark.parametrize(("retry", "expected"), [(None, 1), (RetryPolicy(max_attempts=3), 3)])
async def test_only_a_channel_with_a_policy_retries(
    echo: SimpleNamespace, retry: RetryPolicy | None, expected: int
) -> None:
    attempts = 0

    async def say(request: Any, context: Any) -> Any:
        nonlocal attempts
        attempts += 1
        if attempts < 3:
            raise RemoteFault("away", kind=Kind.UNAVAILABLE, reason="AWAY", retryable=True)
        return echo.Response(text="x")

    async with echo.served(say) as server, open_channel(server.target, ChannelSettings(), retry=retry) as channel:
        call = echo.Stub(channel).Say(echo.Request(text="x"), timeout=5)
        if expected == 1:
            with pytest.raises(RemoteFault):
                await call
        else:
            await call
    assert attempts == expected


async def test_a_peer_that_comes_back_on_its_port_gets_calls_again(echo: SimpleNamespace) -> None:
    first = echo.served()
    found = await first.__aenter__()
    async with open_channel(found.target) as channel:
        stub = echo.Stub(channel)
        assert (await stub.Say(echo.Request(text="a"), timeout=5)).text == "a"
        await first.__aexit__(None, None, None)
        for _ in range(3):
            with pytest.raises(RemoteFault) as caught:
                await stub.Say(echo.Request(text="b"), timeout=5)
            assert (caught.value.answered, caught.value.retry_after_s) == (False, 1.0)
        async with echo.served(settings=RpcSettings(port=found.state.port, grace_s=0.5)):
            assert (await stub.Say(echo.Request(text="c"), timeout=10, wait_for_ready=True)).text == "c"


async def test_a_guard_stands_around_unary_calls_only_where_it_was_asked_for(echo: SimpleNamespace) -> None:
    async def say(request: Any, context: Any) -> Any:
        raise NotReady()

    settings = BreakerSettings(failures_in_a_row=1, failing_for_s=0, open_s=60)
    async with echo.served(say) as server, open_channel(server.target) as channel:
        plain, guarded = echo.Stub(channel), echo.Stub(channel.guarded(Guard("leaf", settings)))
        reasons = []
        for stub in (guarded, guarded, plain):
            with pytest.raises((RemoteFault, BreakerOpen)) as caught:
                await stub.Say(echo.Request(text="x"), timeout=5)
            reasons.append(caught.value.reason)
        assert (await guarded.Collect(echo.stream_of("a"), timeout=5)).text == "a"
    assert reasons == ["NOT_READY", "BREAKER_OPEN", "NOT_READY"]
