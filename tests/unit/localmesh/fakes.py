"""A runnable without a process: it ends when told, may refuse its next starts, and keeps a journal."""

import asyncio
import signal

from loopwright.localmesh.failures import ServerDidNotStart
from loopwright.localmesh.process import ProcessRecord


class FakeRunnable:
    def __init__(self, name: str, journal: list[str], refusals: int = 0) -> None:
        self.name = name
        self.exit_code: int | None = 1
        self.refusals = refusals
        self.starts = 0
        self.deaf = self.frozen = False
        self.gate = asyncio.Event()
        self.gate.set()
        self._journal = journal

    async def start(self) -> ProcessRecord:
        self.starts += 1
        self.exit_code = None
        while not self.gate.is_set() and self.exit_code is None:
            await asyncio.sleep(0)
        if self.refusals or self.exit_code is not None:
            self.refusals = max(0, self.refusals - 1)
            self.exit_code = self.exit_code or 1
            raise ServerDidNotStart(self.name)
        self._journal.append(f"+{self.name}")
        return ProcessRecord(self.name, self.starts, 0.0)

    async def stop(self) -> bool:
        await asyncio.sleep(0)
        if self.exit_code is None:
            self._journal.append(f"-{self.name}")
            self.exit_code = -9 if self.deaf else 0
        return not self.deaf

    async def answers(self) -> bool:
        while self.frozen:
            await asyncio.sleep(0)
        return True

    def send(self, number: signal.Signals) -> ProcessRecord | None:
        if self.exit_code is not None:
            return None
        self._journal.append(f"{number.name} {self.name}")
        if number is signal.SIGKILL:
            self.exit_code = -9
        self.frozen = number is signal.SIGSTOP
        return ProcessRecord(self.name, self.starts, 0.0)
