import asyncio
import signal
import sys
from pathlib import Path

import psutil
import pytest

from loopwright.localmesh.failures import ServerDidNotStart
from loopwright.localmesh.process import ManagedProcess, ProcessRecord, ProcessSpec, gone, is_alive, stop_recorded

SLEEPER = "import time; print('up', flush=True); time.sleep(60)"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
PARENT = (
    "import subprocess, sys, time; c = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
    "print('up', c.pid, flush=True); time.sleep(60)"
)


def managed(folder: Path, code: str) -> ManagedProcess:
    return ManagedProcess(ProcessSpec("child", [sys.executable, "-c", code], folder, folder / "child.log"))


async def started(folder: Path, code: str) -> ManagedProcess:
    child = managed(folder, code)
    child.start()

    async def up() -> bool:
        return "up" in child.log_tail()

    await child.wait_ready(up, 30)
    return child


async def test_a_stopped_child_is_reaped_with_its_exit_code(tmp_path: Path) -> None:
    child = await started(tmp_path, SLEEPER)
    assert is_alive(child.record)
    await child.stop(grace_s=30)
    assert child.exit_code == -signal.SIGTERM
    assert not is_alive(child.record)


async def test_a_child_deaf_to_sigterm_is_killed_after_its_grace(tmp_path: Path) -> None:
    child = await started(tmp_path, DEAF)
    await child.stop(grace_s=0.2)
    assert child.exit_code == -signal.SIGKILL


async def test_what_a_child_spawned_ends_with_it(tmp_path: Path) -> None:
    child = await started(tmp_path, PARENT)
    grandchild = psutil.Process(int(child.log_tail().split()[1]))
    record = ProcessRecord("grandchild", grandchild.pid, grandchild.create_time())
    await child.stop(grace_s=30)
    async with asyncio.timeout(30):
        while is_alive(record):
            await asyncio.sleep(0.02)


async def test_a_recorded_process_is_ended_by_its_record_alone(tmp_path: Path) -> None:
    child = await started(tmp_path, SLEEPER)
    assert await stop_recorded(child.record, grace_s=30)
    assert child.exit_code == -signal.SIGTERM


async def test_a_record_with_a_reused_pid_ends_nobody(tmp_path: Path) -> None:
    child = await started(tmp_path, SLEEPER)
    reused = ProcessRecord("child", child.record.pid, child.record.started_at_s - 100)
    assert not is_alive(reused)
    await stop_recorded(reused, grace_s=0.2)
    assert is_alive(child.record)
    await child.stop(grace_s=30)


async def test_a_child_that_ends_during_its_start_is_reported_with_its_log(tmp_path: Path) -> None:
    child = managed(tmp_path, "import sys; print('no disk'); sys.exit(7)")
    child.start()

    async def never() -> bool:
        return False

    with pytest.raises(ServerDidNotStart, match=r"ended with 7: no disk"):
        await child.wait_ready(never, 30)


async def test_a_child_that_never_gets_ready_is_reported(tmp_path: Path) -> None:
    child = await started(tmp_path, SLEEPER)

    async def never() -> bool:
        return False

    with pytest.raises(ServerDidNotStart, match=r"not ready within 0\.1 s"):
        await child.wait_ready(never, 0.1)
    await child.stop(grace_s=30)


def test_a_process_that_was_not_started_has_no_record(tmp_path: Path) -> None:
    with pytest.raises(ServerDidNotStart):
        _ = managed(tmp_path, SLEEPER).record


async def test_a_frozen_child_is_reached_by_signals_and_still_ends_at_a_stop(tmp_path: Path) -> None:
    child = await started(tmp_path, SLEEPER)
    assert child.send(signal.SIGSTOP) == child.record
    while psutil.Process(child.record.pid).status() != psutil.STATUS_STOPPED:
        await asyncio.sleep(0.01)
    assert is_alive(child.record)
    assert await child.stop(grace_s=30)
    assert child.exit_code == -signal.SIGTERM
    assert child.send(signal.SIGCONT) is None


async def test_a_killed_child_is_waited_for(tmp_path: Path) -> None:
    child = await started(tmp_path, SLEEPER)
    await gone(child.send(signal.SIGKILL))
    assert not is_alive(child.record)
    assert child.exit_code == -signal.SIGKILL
    await gone(None)
