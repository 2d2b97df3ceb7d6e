import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.unit.localmesh.fakes import FakeRunnable as Fake

from loopwright.localmesh.failures import ServerDidNotStart, UnknownProcess
from loopwright.localmesh.keeping import RestartPolicy
from loopwright.localmesh.process import ProcessRecord, ProcessSpec, is_alive
from loopwright.localmesh.supervisor import ServiceProcess, Supervisor

QUICK = RestartPolicy(first_wait_s=0.01, longest_wait_s=0.05, look_every_s=0.01)


def ignore(records: Mapping[str, ProcessRecord]) -> None:
    del records


async def test_stages_start_in_order_and_stop_in_reverse() -> None:
    journal: list[str] = []
    supervisor = Supervisor([[Fake("a", journal)], [Fake("b", journal)], [Fake("c", journal)]], ignore)
    await supervisor.start()
    await supervisor.stop()
    assert journal == ["+a", "+b", "+c", "-c", "-b", "-a"]


async def test_when_one_does_not_start_all_that_did_is_stopped() -> None:
    journal: list[str] = []
    supervisor = Supervisor([[Fake("a", journal)], [Fake("b", journal, refusals=1)], [Fake("c", journal)]], ignore)
    with pytest.raises(ExceptionGroup) as caught:
        await supervisor.start()
    assert caught.group_contains(ServerDidNotStart)
    assert journal == ["+a", "-a"]


async def test_what_crashed_is_started_again_even_when_its_first_restarts_fail() -> None:
    told: list[Mapping[str, ProcessRecord]] = []
    flaky = Fake("a", [])
    supervisor = Supervisor([[flaky]], told.append, QUICK)
    await supervisor.start()
    watching = asyncio.create_task(supervisor.watch())
    flaky.refusals, flaky.exit_code = 2, -9
    async with asyncio.timeout(30):
        while flaky.exit_code is not None:
            await asyncio.sleep(0.01)
    watching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watching
    assert flaky.starts == 4
    assert [records["a"].pid for records in told] == [1, 4]


async def test_a_server_that_is_back_wakes_the_restarts_behind_it() -> None:
    patient = RestartPolicy(first_wait_s=3600.0, longest_wait_s=3600.0, look_every_s=0.01)
    server, service = Fake("kafka", []), Fake("service", [])
    supervisor = Supervisor([[server], [service]], ignore, patient)
    await supervisor.start()
    watching = asyncio.create_task(supervisor.watch())
    service.refusals, service.exit_code = 1, 1
    async with asyncio.timeout(30):
        while service.starts < 2:  # refused: the next try would be in an hour
            await asyncio.sleep(0.01)
        await supervisor.keeper("kafka").restart()
        await supervisor.keeper("service").wait_ready(30)
    assert service.starts == 3
    watching.cancel()


def test_a_process_is_known_by_its_name() -> None:
    supervisor = Supervisor([[Fake("a", [])], [Fake("b", [])]], ignore)
    assert supervisor.keeper("a") is not supervisor.keeper("b")
    with pytest.raises(UnknownProcess, match="'c'"):
        supervisor.keeper("c")


async def test_a_killed_service_comes_back_under_another_pid(tmp_path: Path) -> None:
    log = tmp_path / "service.log"
    command = [sys.executable, "-c", "import time; print('ready', flush=True); time.sleep(60)"]

    async def ready() -> bool:
        return log.exists() and "ready" in log.read_text()

    service = ServiceProcess(ProcessSpec("service", command, tmp_path, log), ready, within_s=30, grace_s=30)
    told: list[ProcessRecord] = []
    supervisor = Supervisor([[service]], lambda records: told.append(records["service"]), QUICK)
    await supervisor.start()
    async with asyncio.timeout(60):
        watching = asyncio.create_task(supervisor.watch())
        os.killpg(told[0].pid, signal.SIGKILL)
        while len(told) < 2:
            await asyncio.sleep(0.01)
        watching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await watching
    assert told[0].pid != told[1].pid
    assert is_alive(told[1])
    await supervisor.stop()
    assert not is_alive(told[1])
