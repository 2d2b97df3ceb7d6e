"""Child processes that are ended exactly: each in its own process group, with its log file and a record of who it is.

In: a `ProcessSpec`. Out: a running child, and a `ProcessRecord` (pid and start time) by which another process, later,
ends that child and no other. The embedded servers and the supervisor call it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from loopwright.localmesh.failures import ServerDidNotStart

POLL_S = 0.05  # how often a start or a stop looks again; a broker takes seconds, so a twentieth is lost in it
START_TIME_TOLERANCE_S = 1.0  # the kernel counts in ticks, and the clock may be stepped between readings
KILLED_WITHIN_S = 10.0  # a killed process is gone at once, unless it waits for a disk
LOG_TAIL_BYTES = 2_000


@dataclass(frozen=True, slots=True)
class ProcessRecord:
    """Who a process is: a pid is reused, a pid with its start time is not."""

    name: str
    pid: int
    started_at_s: float


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """What to run: the command, its working folder, its log file and the variables added to our environment."""

    name: str
    command: Sequence[str]
    cwd: Path
    log_file: Path
    env: Mapping[str, str] = field(default_factory=dict)


def _find(record: ProcessRecord) -> psutil.Process | None:
    try:
        process = psutil.Process(record.pid)
        same = abs(process.create_time() - record.started_at_s) <= START_TIME_TOLERANCE_S
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.NoSuchProcess:
        return None


def is_alive(record: ProcessRecord) -> bool:
    """Say whether the recorded process, and not another with its pid, still runs."""
    return _find(record) is not None


def _signal_group(record: ProcessRecord, number: signal.Signals) -> bool:
    """Send a signal to the process and what it spawned; say whether anybody was there to get it."""
    # A child leads its own group (start_new_session), so this reaches what it spawned and nothing of ours.
    if not is_alive(record):
        return False
    try:
        os.killpg(record.pid, number)
    except ProcessLookupError:
        return False  # it ended between the look and the signal
    return True


def _ask_to_end(record: ProcessRecord) -> None:
    _signal_group(record, signal.SIGTERM)
    _signal_group(record, signal.SIGCONT)  # a frozen process takes no SIGTERM before it goes on


async def stop_recorded(record: ProcessRecord, grace_s: float) -> bool:
    """End the recorded process and its group: SIGTERM, then SIGKILL after `grace_s`. Works for any process of ours.

    Returns:
        True when it ended by itself within the grace, False when it had to be killed.
    """
    _ask_to_end(record)
    if await _ended(record, grace_s):
        return True
    _signal_group(record, signal.SIGKILL)
    await _ended(record, KILLED_WITHIN_S)
    return False


async def gone(record: ProcessRecord | None) -> None:
    """Return when the recorded process has ended, or is still there long after a SIGKILL would have ended it."""
    if record is not None:
        await _ended(record, KILLED_WITHIN_S)


async def _ended(record: ProcessRecord, within_s: float) -> bool:
    clock = asyncio.get_running_loop().time
    until = clock() + within_s
    while is_alive(record):
        if clock() >= until:
            return False
        await asyncio.sleep(POLL_S)
    return True


class ManagedProcess:
    """One child process; `start` spawns it, `stop` ends it. It does not restart by itself."""

    def __init__(self, spec: ProcessSpec) -> None:
        self.spec = spec
        self._popen: subprocess.Popen[bytes] | None = None
        self._record: ProcessRecord | None = None

    @property
    def record(self) -> ProcessRecord:
        """Who the running process is.

        Raises:
            ServerDidNotStart: it was never started.
        """
        if self._record is None:
            raise ServerDidNotStart(f"{self.spec.name} was not started")
        return self._record

    @property
    def exit_code(self) -> int | None:
        """The exit code, None while it runs or before it started; reading it reaps the child."""
        return self._popen.poll() if self._popen else None

    def start(self) -> ProcessRecord:
        """Spawn the command in a new session, its output appended to the log file."""
        spec = self.spec
        spec.cwd.mkdir(parents=True, exist_ok=True)
        spec.log_file.parent.mkdir(parents=True, exist_ok=True)
        with spec.log_file.open("ab") as log:
            self._popen = subprocess.Popen(
                list(spec.command),
                cwd=spec.cwd,
                env={**os.environ, **spec.env},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        started_at_s = psutil.Process(self._popen.pid).create_time()
        self._record = ProcessRecord(spec.name, self._popen.pid, started_at_s)
        return self._record

    async def wait_ready(self, probe: Callable[[], Awaitable[bool]], within_s: float) -> None:
        """Return when `probe` answers True.

        Raises:
            ServerDidNotStart: the process ended, or `within_s` passed; with the end of its log.
        """
        try:
            async with asyncio.timeout(within_s):
                while not await probe():
                    if self.exit_code is not None:
                        raise ServerDidNotStart(f"{self.spec.name} ended with {self.exit_code}: {self.log_tail()}")
                    await asyncio.sleep(POLL_S)
        except TimeoutError as error:
            message = f"{self.spec.name} was not ready within {within_s:g} s: {self.log_tail()}"
            raise ServerDidNotStart(message) from error

    def send(self, number: signal.Signals) -> ProcessRecord | None:
        """Send a signal to the process and its group and return whom it reached, None when nothing runs."""
        if self._record is None or not _signal_group(self._record, number):
            return None
        return self._record

    async def stop(self, grace_s: float) -> bool:
        """End the process and its group, and reap it; does nothing when it already ended.

        Returns:
            True when it ended by itself within the grace, False when it had to be killed.
        """
        if self._popen is None or self.exit_code is not None:
            return True
        _ask_to_end(self.record)
        if await self._reaped(grace_s):
            return True
        _signal_group(self.record, signal.SIGKILL)
        await self._reaped(KILLED_WITHIN_S)
        return False

    async def _reaped(self, within_s: float) -> bool:
        clock = asyncio.get_running_loop().time
        until = clock() + within_s
        while self.exit_code is None:
            if clock() >= until:
                return False
            await asyncio.sleep(POLL_S)
        return True

    def log_tail(self) -> str:
        """Return the last two kilobytes of the log file, for a message to a person."""
        if not self.spec.log_file.exists():
            return ""
        return self.spec.log_file.read_bytes()[-LOG_TAIL_BYTES:].decode("utf-8", "replace").strip()
