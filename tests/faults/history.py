"""The history of a run: what clients asked and heard and which faults stood, one fsynced JSON line an entry.

Load and fault actions append; the checker reads. An `invoke` is durable before its call is sent, so that whatever the
mesh did has a cause on record, whoever dies.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

from loopwright.eventlog import wall_now_ms


class Kind(StrEnum):
    """What an entry says; UNKNOWN: it may have happened or not."""

    INVOKE = "invoke"
    OK = "ok"
    FAIL = "fail"
    UNKNOWN = "unknown"
    FAULT_START = "fault_start"
    FAULT_END = "fault_end"


class Operation(StrEnum):
    """Calls of the public API."""

    RECOMMEND = "recommend"
    IMPRESSIONS = "impressions"
    ACTIONS = "actions"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line; `process` is the client or the fault's target, `call` joins a call's two entries.

    Attributes:
        kind: What it says.
        process: The user who calls, or what the fault strikes.
        operation: The call's name, or the fault's (`kill`, `hold`, `freeze`, `empty`).
        call: Number of the call or fault in its run.
        at_ms: Monotonic milliseconds.
        wall_ms: Wall milliseconds.
        scenario: Run that it belongs to; prefix of request and event ids.
        request_id: Of a recommend call.
        subject: Of the user, hex.
        k: Items asked for.
        deadline_ms: The call's limit.
        decision_id: Answered or reported on, hex.
        decided_at_ms: Mesh time of the decision.
        policy_version: Of the answer.
        degradations: Of the answer, each `STAGE/REASON/subject`.
        events: Ids, hex, of the events that an OK acknowledges.
        code: gRPC status of what was not OK.
        reason: Its reason.
        retry_after_s: Its RetryInfo.
        latency_ms: From the call to its end.
        replayed: The answer was a stored one.
    """

    kind: Kind
    process: str
    operation: str
    call: int
    at_ms: float
    wall_ms: int
    scenario: str = ""
    request_id: str = ""
    subject: str = ""
    k: int = 0
    deadline_ms: int = 0
    decision_id: str = ""
    decided_at_ms: int = 0
    policy_version: str = ""
    degradations: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    code: str = ""
    reason: str = ""
    retry_after_s: float | None = None
    latency_ms: float = 0.0
    replayed: bool = False

    def line(self) -> bytes:
        """Return the entry as a line of JSON, fields at their defaults left out."""
        said = {name: value for name, value in asdict(self).items() if value not in (_DEFAULTS[name], [])}
        return json.dumps(said, separators=(",", ":")).encode() + b"\n"


_DEFAULTS: dict[str, Any] = {f.name: f.default for f in fields(Entry)}


def entry_of(line: bytes | str) -> Entry:
    """Return the entry of a line."""
    said = json.loads(line)
    for name in ("degradations", "events"):
        said[name] = tuple(said.get(name, ()))
    return Entry(**said | {"kind": Kind(said["kind"])})


def read_history(path: Path) -> list[Entry]:
    """Return the entries of a file; a last line without its end was never durable and is left out."""
    whole, _, _ = path.read_bytes().rpartition(b"\n")
    return [entry_of(line) for line in whole.splitlines()]


def now_ms() -> float:
    """Return monotonic milliseconds."""
    return time.monotonic_ns() / 1e6


class History:
    """Appends to one file; a thread writes and fsyncs whatever has gathered, so callers share the disk's wait."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries: list[Entry] = []
        self._file = path.open("ab", buffering=0)
        self._waiting: list[tuple[bytes, asyncio.Future[None]]] = []
        self._more = asyncio.Event()
        self._closing = False

    async def append(self, entry: Entry) -> None:
        """Append and return once the entry is durable."""
        durable = self._put(entry)
        await asyncio.shield(durable)

    def note(self, entry: Entry) -> None:
        """Append without waiting; it is durable before any later entry is."""
        self._put(entry)

    def _put(self, entry: Entry) -> asyncio.Future[None]:
        if self._closing:
            raise RuntimeError("the history is closed")
        durable = asyncio.get_running_loop().create_future()
        self.entries.append(entry)
        self._waiting.append((entry.line(), durable))
        self._more.set()
        return durable

    async def write(self) -> None:
        """Write until the history is closed."""
        while True:
            await self._more.wait()
            self._more.clear()
            group, self._waiting = self._waiting, []
            if group:
                await asyncio.to_thread(self._write, [line for line, _ in group])
                for _, durable in group:
                    durable.set_result(None)
            if self._closing and not self._waiting:
                return

    def _write(self, lines: Iterable[bytes]) -> None:
        os.write(self._file.fileno(), b"".join(lines))
        os.fdatasync(self._file.fileno())

    def close(self) -> None:
        """Let the writer end once everything is written."""
        self._closing = True
        self._more.set()

    def close_file(self) -> None:
        """Close the file."""
        self._file.close()


@asynccontextmanager
async def open_history(path: Path) -> AsyncIterator[History]:
    """Open a history and write it while the block runs; on leaving everything is durable."""
    history = History(path)
    writing = asyncio.create_task(history.write())
    try:
        yield history
    finally:
        history.close()
        await writing
        history.close_file()


def fault_entry(kind: Kind, operation: str, target: str, call: int, scenario: str) -> Entry:
    """Return an entry of a fault that starts or ends now."""
    return Entry(kind, target, operation, call, now_ms(), wall_now_ms(), scenario=scenario)
