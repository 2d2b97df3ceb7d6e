from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright.faults import BreakerOpen, Kind, NotReady, RemoteFault
from loopwright.rpc import BreakerSettings, Guard, RetrySettings, RpcSettings, open_channel
from loopwright.rpc.breaker import State
from loopwright.rpc.retrying import RetryBudget, may_be_answered_elsewhere
from loopwright.telemetry import METER, names


def unreached() -> RemoteFault:
    return RemoteFault("gone", kind=Kind.UNAVAILABLE, reason="UNAVAILABLE", retryable=True, answered=False)


def said(kind: Kind, reason: str) -> RemoteFault:
    return RemoteFault("x", kind=kind, reason=reason)


@dataclass
class Leaf:
    """Gives the planned ends one after the other: a fault is raised, a number of seconds passes, then "OK"."""

    plan: list[Any]
    now: float = 0.0
    limits: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds

    async def attempt(self, limit_s: float) -> str:
        self.limits.append(limit_s)
        steps = self.plan.pop(0)
        for step in steps if isinstance(steps, list) else [steps]:
            if isinstance(step, BaseException):
                raise step
            self.now += step
        return "OK"


def guard(leaf: Leaf, retries: RetrySettings | None = RetrySettings(), **settings: Any) -> Guard:  # noqa: B008
    numbers = {"failures_in_a_row": 1, "failing_for_s": 0.0} | settings
    return Guard("leaf", BreakerSettings(**numbers), retries, leaf, leaf.sleep)


async def test_a_lost_connection_is_tried_once_more_within_the_time_left() -> None:
    leaf = Leaf([[0.25, unreached()], 0.1])
    before = METER.value(names.RPC_RETRIES, target="leaf")
    assert await guard(leaf, failures_in_a_row=2).call(leaf.attempt, 1.0) == "OK"
    assert leaf.limits == [1.0, 0.74]
    assert METER.value(names.RPC_RETRIES, target="leaf") == before + 1


async def test_a_replica_that_is_still_loading_is_tried_elsewhere() -> None:
    leaf = Leaf([said(Kind.UNAVAILABLE, NotReady.reason), 0.1])
    assert await guard(leaf, failures_in_a_row=2).call(leaf.attempt, 1.0) == "OK"


@pytest.mark.parametrize(
    "fault",
    [
        said(Kind.UNAVAILABLE, "APPEND_TIMEOUT"),
        said(Kind.RESOURCE_EXHAUSTED, "OVERLOADED"),
        said(Kind.INVALID_ARGUMENT, "INVALID_REQUEST"),
        said(Kind.FAILED_PRECONDITION, "BUNDLE_NOT_LOADED"),
        said(Kind.DEADLINE, "DEADLINE_EXCEEDED"),
    ],
    ids=lambda fault: fault.reason,
)
async def test_what_a_peer_answered_is_not_asked_again(fault: RemoteFault) -> None:
    leaf = Leaf([fault])
    with pytest.raises(RemoteFault) as caught:
        await guard(leaf).call(leaf.attempt, 1.0)
    assert caught.value is fault and not leaf.plan


async def test_without_time_or_budget_there_is_no_second_attempt() -> None:
    late = Leaf([[0.985, unreached()]])
    with pytest.raises(RemoteFault):
        await guard(late).call(late.attempt, 1.0)
    never = Leaf([unreached()])
    with pytest.raises(RemoteFault):
        await guard(never, RetrySettings(budget_ratio=0)).call(never.attempt, 1.0)
    best_effort = Leaf([unreached()])
    with pytest.raises(RemoteFault):
        await guard(best_effort, None).call(best_effort.attempt, 1.0)


async def test_the_first_fault_is_told_when_the_breaker_refuses_the_second_attempt() -> None:
    first = unreached()
    leaf = Leaf([first])
    guarded = guard(leaf)
    with pytest.raises(RemoteFault) as caught:
        await guarded.call(leaf.attempt, 1.0)
    assert caught.value is first and guarded.breaker.state is State.OPEN
    with pytest.raises(BreakerOpen):
        await guarded.call(leaf.attempt, 1.0)


@pytest.mark.parametrize(
    ("end", "limit_s", "state"),
    [
        (unreached(), 1.0, State.OPEN),
        (said(Kind.UNAVAILABLE, "APPEND_TIMEOUT"), 1.0, State.OPEN),
        (said(Kind.RESOURCE_EXHAUSTED, "OVERLOADED"), 1.0, State.OPEN),
        (said(Kind.DEADLINE, "DEADLINE_EXCEEDED"), 1.0, State.OPEN),
        (said(Kind.DEADLINE, "DEADLINE_EXCEEDED"), 0.001, State.CLOSED),
        ([1.0, asyncio.CancelledError()], 1.0, State.OPEN),
        ([0.5, asyncio.CancelledError()], 1.0, State.CLOSED),
        (ValueError(), 1.0, State.CLOSED),
        (said(Kind.INVALID_ARGUMENT, "INVALID_REQUEST"), 1.0, State.CLOSED),
        (said(Kind.UNAVAILABLE, "ANSWER_PENDING"), 1.0, State.CLOSED),
        (said(Kind.FAILED_PRECONDITION, "BUNDLE_NOT_LOADED"), 1.0, State.CLOSED),
    ],
    ids=str,
)
async def test_which_ends_of_a_call_tell_against_the_peer(end: Any, limit_s: float, state: State) -> None:
    leaf = Leaf([end])
    guarded = guard(leaf, None)
    with pytest.raises(BaseException):  # noqa: B017
        await guarded.call(leaf.attempt, limit_s)
    assert guarded.breaker.state is state


async def test_a_stages_timeout_counts_and_a_caller_that_leaves_does_not(echo: SimpleNamespace) -> None:
    started = asyncio.Event()

    async def say(request: Any, context: Any) -> Any:
        started.set()
        await asyncio.sleep(60)

    async def called(guarded: Guard, stub: Any) -> None:
        async with asyncio.timeout(0.2):
            await stub.Say(echo.Request(text="x"), timeout=0.2)

    async with echo.served(say) as server, open_channel(server.target) as channel:
        for leaves, state in ((True, State.CLOSED), (False, State.OPEN)):
            guarded = Guard("leaf", BreakerSettings(failures_in_a_row=1, failing_for_s=0))
            started.clear()
            task = asyncio.ensure_future(called(guarded, echo.Stub(channel.guarded(guarded))))
            await started.wait()
            if leaves:
                task.cancel()
            with pytest.raises((asyncio.CancelledError, TimeoutError, RemoteFault)):
                await task
            assert guarded.breaker.state is state


async def test_an_open_breaker_costs_nothing_and_sends_nothing(echo: SimpleNamespace) -> None:
    async def say(request: Any, context: Any) -> Any:
        raise NotReady()

    guarded = Guard("leaf", BreakerSettings(failures_in_a_row=2, failing_for_s=0, open_s=60), RetrySettings())
    async with echo.served(say) as server, open_channel(server.target) as channel:
        stub = echo.Stub(channel.guarded(guarded))
        reasons = [await _reason(stub.Say(echo.Request(text="x"), timeout=2)) for _ in "123"]
        assert server.servicer.calls == 2  # the first call and its second attempt
    assert reasons == ["NOT_READY", "BREAKER_OPEN", "BREAKER_OPEN"]


async def test_a_rolling_restart_under_load_loses_no_call(echo: SimpleNamespace) -> None:
    async def say(request: Any, context: Any) -> Any:
        await asyncio.sleep(0.005)
        return echo.Response(text="x")

    stopping, told = False, Counter[str]()
    servers = [echo.served(say), echo.served(say)]
    found = [await server.__aenter__() for server in servers]
    guarded = Guard("leaf", BreakerSettings(), RetrySettings())
    async with open_channel(f"ipv4:{found[0].target},{found[1].target}") as channel:
        stub = echo.Stub(channel.guarded(guarded))

        async def caller() -> None:
            while not stopping:
                told[await _reason(stub.Say(echo.Request(text="x"), timeout=10))] += 1

        callers = [asyncio.ensure_future(caller()) for _ in range(5)]
        for round_ in range(4):
            which = round_ % 2
            before = found[1 - which].servicer.calls
            while found[1 - which].servicer.calls < before + 10:  # the other one is connected and serves
                await asyncio.sleep(0.01)
            await servers[which].__aexit__(None, None, None)
            settings = RpcSettings(port=found[which].state.port, grace_s=0.5)
            servers[which] = echo.served(say, settings=settings)
            found[which] = await servers[which].__aenter__()
        stopping = True
        await asyncio.gather(*callers)
    for server in servers:
        await server.__aexit__(None, None, None)
    assert set(told) == {"OK"} and told["OK"] > 40


async def test_calls_on_a_connection_that_is_reset_are_answered_by_the_other_replica(echo: SimpleNamespace) -> None:
    hanging: list[Any] = []

    async def hang(request: Any, context: Any) -> Any:
        if request.text == "x":
            hanging.append(request)
            await asyncio.sleep(60)
        return echo.Response(text="x")

    guarded = Guard("leaf", BreakerSettings(), RetrySettings())
    async with echo.served(hang) as dying, echo.served() as living, _wire(dying.state.port) as (port, cut):
        async with open_channel(f"ipv4:127.0.0.1:{port},{living.target}") as channel:
            stub = echo.Stub(channel.guarded(guarded))
            while not (dying.servicer.calls and living.servicer.calls):
                assert await _reason(stub.Say(echo.Request(text="warm"), timeout=20)) == "OK"
            calls = [asyncio.ensure_future(_reason(stub.Say(echo.Request(text="x"), timeout=20))) for _ in range(8)]
            while len(hanging) < 4:
                await asyncio.sleep(0.005)
            cut()  # what a kill -9 does to the connections of a process
            assert await asyncio.gather(*calls) == ["OK"] * 8
            assert [await _reason(stub.Say(echo.Request(text="x"), timeout=5)) for _ in range(20)] == ["OK"] * 20


@asynccontextmanager
async def _wire(port: int) -> AsyncIterator[tuple[int, Callable[[], None]]]:
    """A port that forwards to another, until it is cut: connections are reset and new ones refused."""
    writers: list[asyncio.StreamWriter] = []
    pumps: list[asyncio.Future[None]] = []

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        writers.extend((writer, back))
        pumps.extend(asyncio.ensure_future(pump(*ends)) for ends in ((reader, back), (there, writer)))

    def cut() -> None:
        server.close()
        for writer in writers:
            writer.transport.abort()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], cut
    finally:
        cut()
        await asyncio.gather(*pumps)


async def _reason(call: Awaitable[Any]) -> str:
    try:
        await call
    except (RemoteFault, BreakerOpen) as fault:
        return fault.reason
    return "OK"


@given(
    calls=st.integers(0, 400),
    ratio=st.floats(0, 1),
    burst=st.integers(1, 20),
    wanted=st.lists(st.booleans(), max_size=400),
)
def test_second_attempts_never_exceed_their_share_and_the_burst(
    calls: int, ratio: float, burst: int, wanted: list[bool]
) -> None:
    budget, taken = RetryBudget(RetrySettings(budget_ratio=ratio, burst_calls=burst)), 0
    for number in range(calls):
        budget.earn()
        taken += number < len(wanted) and wanted[number] and budget.take()
        assert taken <= burst + ratio * (number + 1) + 1e-6
    if ratio == 0:
        assert taken == 0


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (unreached, True),
        (lambda: said(Kind.UNAVAILABLE, "INDEX_NOT_READY"), True),
        (lambda: said(Kind.UNAVAILABLE, "OUTBOX_FULL"), False),
        (lambda: said(Kind.INTERNAL, "INTERNAL"), False),
    ],
)
def test_only_another_replica_may_answer_what_this_one_could_not(
    make: Callable[[], RemoteFault], expected: bool
) -> None:
    assert may_be_answered_elsewhere(make()) is expected
