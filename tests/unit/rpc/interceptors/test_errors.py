from __future__ import annotations

import asyncio
import logging
from types import SimpleNamespace
from typing import Any

import grpc
import pytest

from loopwright.faults import BundleNotLoaded, DeadlineExceeded, Internal, InvalidRequest, Kind, NotFound, RemoteFault
from loopwright.rpc import open_channel
from loopwright.rpc.deadline import Deadline, bound
from loopwright.rpc.interceptors.errors import fault_of


async def _outcome(echo: SimpleNamespace, say: Any) -> RemoteFault:
    async with echo.served(say) as server, open_channel(server.target) as channel:
        with pytest.raises(RemoteFault) as caught:
            await echo.Stub(channel).Say(echo.Request(text="x"), timeout=5)
    return caught.value


async def test_an_unforeseen_exception_is_internal_logged_with_its_stack_and_leaks_nothing(
    echo: SimpleNamespace, caplog: pytest.LogCaptureFixture
) -> None:
    async def say(request: Any, context: Any) -> Any:
        raise ZeroDivisionError("secret-4711")

    with caplog.at_level(logging.ERROR):
        fault = await _outcome(echo, say)
    assert (fault.kind, fault.reason) == (Kind.INTERNAL, "INTERNAL")
    assert "4711" not in fault.message
    (record,) = [r for r in caplog.records if r.name == "loopwright.rpc.interceptors.errors"]
    assert record.exc_info is not None and record.exc_info[0] is ZeroDivisionError


async def test_an_abort_passes_through_with_its_own_status(
    echo: SimpleNamespace, caplog: pytest.LogCaptureFixture
) -> None:
    async def say(request: Any, context: Any) -> Any:
        await context.abort(grpc.StatusCode.ALREADY_EXISTS, "there already")

    fault = await _outcome(echo, say)
    assert (fault.kind, fault.message) == (Kind.ALREADY_EXISTS, "there already")
    assert not [r for r in caplog.records if r.levelno >= logging.ERROR]


async def test_a_fault_inside_a_task_group_is_that_fault(echo: SimpleNamespace) -> None:
    async def say(request: Any, context: Any) -> Any:
        async def fail() -> None:
            raise BundleNotLoaded()

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(fail())
            tasks.create_task(asyncio.sleep(60))

    assert (await _outcome(echo, say)).reason == "BUNDLE_NOT_LOADED"


async def test_a_cancelled_call_is_no_error_of_ours(echo: SimpleNamespace, caplog: pytest.LogCaptureFixture) -> None:
    started, ended = asyncio.Event(), asyncio.Event()

    async def say(request: Any, context: Any) -> Any:
        started.set()
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    async with echo.served(say) as server, open_channel(server.target) as channel:
        call = asyncio.ensure_future(echo.Stub(channel).Say(echo.Request(text="x"), timeout=30))
        await started.wait()
        call.cancel()
        await asyncio.wait([call])
        async with asyncio.timeout(5):
            await ended.wait()
    assert call.cancelled()
    assert not [r for r in caplog.records if r.levelno >= logging.ERROR]


async def test_a_leafs_fault_passes_on_with_its_reason(echo: SimpleNamespace) -> None:
    async def leaf(request: Any, context: Any) -> Any:
        raise BundleNotLoaded(metadata={"policy_version": "abc"})

    async with echo.served(leaf) as back, open_channel(back.target) as inner:

        async def front(request: Any, context: Any) -> Any:
            return await echo.Stub(inner).Say(request)

        fault = await _outcome(echo, front)
    assert (fault.kind, fault.reason) == (Kind.FAILED_PRECONDITION, "BUNDLE_NOT_LOADED")
    assert fault.metadata["policy_version"] == "abc"


def test_a_mixed_group_is_internal_and_a_pure_one_its_first_fault() -> None:
    assert type(fault_of(ExceptionGroup("g", [NotFound(), ValueError()]))) is Internal
    assert type(fault_of(ExceptionGroup("g", [ExceptionGroup("h", [NotFound()]), InvalidRequest()]))) is NotFound


def test_a_time_out_is_the_deadlines_only_when_it_has_passed() -> None:
    assert type(fault_of(TimeoutError())) is Internal
    with bound(Deadline(1.0, lambda: 0.5)):
        assert type(fault_of(TimeoutError())) is Internal
    with bound(Deadline(1.0, lambda: 1.5)):
        assert type(fault_of(TimeoutError())) is DeadlineExceeded
