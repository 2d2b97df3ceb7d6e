from __future__ import annotations

import asyncio
import os
import signal

import pytest
import uvloop

from loopwright.rpc.stop import run, stop_requested


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_wait_on_uvloop(number: signal.Signals) -> None:
    async def main() -> tuple[signal.Signals, bool]:
        loop = asyncio.get_running_loop()
        loop.call_soon(os.kill, os.getpid(), number)
        return await stop_requested(), isinstance(loop, uvloop.Loop)

    assert run(main) == (number, True)


def test_a_second_signal_before_the_wait_ends_does_no_harm() -> None:
    async def main() -> signal.Signals:
        loop = asyncio.get_running_loop()
        for _ in range(2):
            loop.call_soon(os.kill, os.getpid(), signal.SIGTERM)
        return await stop_requested()

    assert run(main) is signal.SIGTERM
