import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest
from tests.unit.localmesh.fakes import FakeRunnable

from loopwright.localmesh import keeping
from loopwright.localmesh.failures import ProcessHeld, ServerDidNotStart
from loopwright.localmesh.keeping import Keeper, RestartPolicy
from loopwright.localmesh.process import ProcessRecord, ProcessSpec, is_alive
from loopwright.localmesh.supervisor import ServiceProcess

QUICK = RestartPolicy(first_wait_s=0.01, longest_wait_s=0.05, look_every_s=0.01)
LOOKS_S = 0.1
"""Ten looks of a keeper."""


@asynccontextmanager
async def kept(runnable: keeping.Runnable) -> AsyncIterator[tuple[Keeper, list[ProcessRecord]]]:
    """A started keeper that watches, and the starts it told."""
    told: list[ProcessRecord] = []
    keeper = Keeper(runnable, QUICK, told.append)
    await keeper.start()
    watching = asyncio.create_task(keeper.keep())
    try:
        async with asyncio.timeout(60):
            yield keeper, told
    finally:
        watching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await watching
        await keeper.stop()


def real(folder: Path, code: str, grace_s: float = 30) -> ServiceProcess:
    """A Python process that is ready once it has written `up`."""
    log = folder / "child.log"

    def fresh(text: str) -> str:
        return "import os; open(f'{os.getpid()}.up', 'w').close(); " + text

    process: ServiceProcess
    spec = ProcessSpec("child", [sys.executable, "-c", fresh(code)], folder, log)

    async def ready() -> bool:
        record = process.send(signal.SIGCONT)
        return record is not None and (folder / f"{record.pid}.up").exists()

    process = ServiceProcess(spec, ready, within_s=30, grace_s=grace_s)
    return process


SLEEPER = "import time; time.sleep(60)"
POLITE = "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); time.sleep(60)"


def test_waits_double_up_to_the_longest() -> None:
    policy = RestartPolicy(first_wait_s=1.0, longest_wait_s=5.0)
    assert [policy.wait_s(count) for count in (0, 1, 2, 3, 4, 5_000)] == [0, 1, 2, 4, 5, 5]


async def test_what_was_killed_comes_back_and_is_no_crash_of_its_own() -> None:
    fake = FakeRunnable("a", [])
    async with kept(fake) as (keeper, told):
        await keeper.kill()
        await keeper.wait_ready(30)
        assert [record.pid for record in told] == [1, 2]
        assert (keeper.restarts, keeper.unasked_ends) == (1, 0)


async def test_an_end_nobody_asked_for_is_counted_once_however_often_its_restart_fails() -> None:
    fake = FakeRunnable("a", [])
    async with kept(fake) as (keeper, _):
        fake.refusals, fake.exit_code = 3, 1
        await keeper.wait_ready(30)
        assert (fake.starts, keeper.restarts, keeper.unasked_ends) == (5, 1, 1)


async def test_what_is_held_stays_down_until_it_is_released() -> None:
    fake = FakeRunnable("a", [])
    async with kept(fake) as (keeper, _):
        await keeper.hold()
        await asyncio.sleep(LOOKS_S)
        assert keeper.held and fake.starts == 1 and not await keeper.ready()
        with pytest.raises(ProcessHeld):
            await keeper.restart()
        await keeper.release(30)
        assert (fake.starts, keeper.held, keeper.unasked_ends) == (2, False, 0)


async def test_holding_ends_a_start_that_is_under_way() -> None:
    fake = FakeRunnable("a", [])
    async with kept(fake) as (keeper, _):
        fake.gate.clear()
        fake.exit_code = -9
        while fake.starts < 2:
            await asyncio.sleep(0.01)
        await keeper.hold()
        fake.gate.set()
        await asyncio.sleep(LOOKS_S)
        assert (fake.starts, fake.exit_code) == (2, -9)
        await keeper.release(30)


async def test_what_does_not_start_after_its_release_is_told_and_still_tried() -> None:
    fake = FakeRunnable("a", [])
    async with kept(fake) as (keeper, _):
        await keeper.hold()
        fake.refusals = 10**9
        with pytest.raises(ServerDidNotStart, match=r"not ready within 0\.1 s"):
            await keeper.release(0.1)
        fake.refusals = 0
        await keeper.wait_ready(30)


@pytest.mark.parametrize("deaf", [False, True])
async def test_a_restart_says_whether_the_process_ended_by_itself(deaf: bool) -> None:
    journal: list[str] = []
    fake = FakeRunnable("a", journal)
    async with kept(fake) as (keeper, _):
        fake.deaf = deaf
        done = await keeper.restart()
        fake.deaf = False
        assert (done.name, done.by_itself, done.exit_code) == ("a", not deaf, -9 if deaf else 0)
        await asyncio.sleep(LOOKS_S)
        assert journal == ["+a", "-a", "+a"]
        assert (keeper.restarts, keeper.unasked_ends) == (1, 0)


async def test_a_restart_whose_start_fails_is_told_and_still_tried() -> None:
    fake = FakeRunnable("a", [])
    async with kept(fake) as (keeper, _):
        fake.refusals = 1
        with pytest.raises(ServerDidNotStart):
            await keeper.restart()
        await keeper.wait_ready(30)
        assert keeper.unasked_ends == 0


async def test_what_is_frozen_is_not_ready_and_not_restarted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "PROBE_WITHIN_S", 0.05)
    fake = FakeRunnable("a", [])
    async with kept(fake) as (keeper, _):
        keeper.freeze()
        assert keeper.frozen and not await keeper.ready()
        await asyncio.sleep(LOOKS_S)
        assert fake.starts == 1
        keeper.thaw()
        assert not keeper.frozen and await keeper.ready()


async def test_a_start_makes_nothing_of_an_earlier_freeze() -> None:
    fake = FakeRunnable("a", [])
    async with kept(fake) as (keeper, _):
        keeper.freeze()
        await keeper.kill()
        fake.frozen = False
        await keeper.wait_ready(30)
        assert not keeper.frozen


async def test_a_real_process_is_killed_and_another_takes_its_place(tmp_path: Path) -> None:
    async with kept(real(tmp_path, SLEEPER)) as (keeper, told):
        await keeper.kill()
        assert not is_alive(told[0])
        await keeper.wait_ready(30)
        assert len({record.pid for record in told}) == 2 and is_alive(told[1])


async def test_a_real_process_that_is_held_is_dead_until_it_is_released(tmp_path: Path) -> None:
    async with kept(real(tmp_path, SLEEPER)) as (keeper, told):
        await keeper.hold()
        await asyncio.sleep(LOOKS_S)
        assert len(told) == 1 and not is_alive(told[0])
        await keeper.release(30)
        assert is_alive(told[1])


@pytest.mark.parametrize("end", [Keeper.kill, Keeper.hold, Keeper.restart])
async def test_a_frozen_real_process_stops_and_can_still_be_ended(
    tmp_path: Path, end: Callable[[Keeper], Awaitable[object]]
) -> None:
    async with kept(real(tmp_path, SLEEPER)) as (keeper, told):
        keeper.freeze()
        while psutil.Process(told[0].pid).status() != psutil.STATUS_STOPPED:
            await asyncio.sleep(0.01)
        await end(keeper)
        assert not is_alive(told[0])


async def test_a_polite_process_ends_by_itself_and_a_deaf_one_is_killed(tmp_path: Path) -> None:
    async with kept(real(tmp_path, POLITE)) as (keeper, _):
        polite = await keeper.restart()
        assert polite.by_itself
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEPER
    async with kept(real(tmp_path, deaf, grace_s=0.2)) as (keeper, _):
        await asyncio.sleep(0.5)  # until its handler is set
        killed = await keeper.restart()
        assert (killed.by_itself, killed.exit_code) == (False, -signal.SIGKILL)
