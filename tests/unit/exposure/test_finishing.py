from __future__ import annotations

import asyncio
import gc

import pytest

from loopwright.exposure.finishing import Finishing
from loopwright.faults import LogUnavailable


class Work:
    """Work that ends when it is let go."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.fault = fault
        self.let_go = asyncio.Event()
        self.done = False

    async def __call__(self) -> str:
        await self.let_go.wait()
        if self.fault is not None:
            raise self.fault
        self.done = True
        return "done"


async def begun(finishing: Finishing, work: Work) -> asyncio.Task[str]:
    call = asyncio.create_task(finishing.run(work(), 20))
    await asyncio.sleep(0.001)
    return call


async def gone(call: asyncio.Task[str]) -> None:
    call.cancel()
    await asyncio.wait([call])
    assert call.cancelled()


async def test_a_caller_that_stays_gets_what_the_work_returns_or_raises(caplog) -> None:
    finishing, work = Finishing(), Work(LogUnavailable())
    work.let_go.set()
    with pytest.raises(LogUnavailable):
        await finishing.run(work(), 20)
    work.fault = None
    assert await finishing.run(work(), 20) == "done"
    assert len(finishing) == 0
    assert caplog.records == []


async def test_work_goes_on_without_its_caller_and_the_stop_waits_for_it() -> None:
    finishing, work = Finishing(), Work()
    await gone(await begun(finishing, work))
    assert len(finishing) == 1
    stop = asyncio.create_task(finishing.drained(5.0))
    await asyncio.sleep(0.001)
    assert not stop.done()
    work.let_go.set()
    await stop
    assert work.done
    assert len(finishing) == 0


@pytest.mark.parametrize(
    ("fault", "reason"), [(LogUnavailable(), "LOG_UNAVAILABLE"), (ValueError("secret"), "ValueError")]
)
async def test_a_failure_that_nobody_hears_of_is_logged_once_and_not_by_the_loop(caplog, fault, reason) -> None:
    unheard: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: unheard.append(context))
    finishing, work = Finishing(), Work(fault)
    await gone(await begun(finishing, work))
    work.let_go.set()
    await finishing.drained(5.0)
    gc.collect()
    assert unheard == []
    assert [record.reason for record in caplog.records] == [reason]
    assert "secret" not in caplog.text


async def test_a_failure_in_the_moment_its_caller_goes_is_logged_too(caplog) -> None:
    finishing, work = Finishing(), Work(LogUnavailable())
    call = await begun(finishing, work)
    (task,) = finishing._begun
    task.add_done_callback(lambda _: call.cancel())
    work.let_go.set()
    await asyncio.wait([call])
    assert call.cancelled()
    await asyncio.sleep(0)
    assert [record.reason for record in caplog.records] == ["LOG_UNAVAILABLE"]


async def test_what_does_not_end_in_time_is_cut_off_at_the_stop_and_that_is_logged(caplog) -> None:
    finishing, work = Finishing(), Work()
    await gone(await begun(finishing, work))
    await finishing.drained(0.0)
    assert (work.done, len(finishing)) == (False, 0)
    assert [(record.getMessage(), record.tasks) for record in caplog.records] == [("work is cut off by the stop", 1)]


async def test_a_stop_with_nothing_under_way_returns_at_once(caplog) -> None:
    await Finishing().drained(0.0)
    assert caplog.records == []


async def test_a_caller_whose_time_is_over_goes_and_the_work_goes_on() -> None:
    finishing, let_go, ended = Finishing(), asyncio.Event(), list[str]()

    async def work() -> None:
        await let_go.wait()
        ended.append("done")

    with pytest.raises(TimeoutError):
        await finishing.run(work(), 0.01)
    assert len(finishing) == 1
    let_go.set()
    await finishing.drained(20)
    assert ended == ["done"]
