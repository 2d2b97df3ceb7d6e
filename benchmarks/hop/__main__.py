"""`python -m benchmarks.hop`: one call of ours against a bare grpc.aio echo of the same bytes, in three sizes.

Each arm has a server process of its own; one client process calls both, round by round.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import psutil

from benchmarks.harness.machine import load
from benchmarks.harness.results import write_section
from benchmarks.harness.rounds import Arm, measure
from benchmarks.harness.tables import Bound, bounds_table, latency_table, markdown
from benchmarks.hop.payload import SEED, SIZES, score_request
from benchmarks.hop.server import ECHO
from benchmarks.hop.spans import spans_on
from loopwright.api.ranking.v1.ranking_service_pb2_grpc import RankingServiceStub
from loopwright.lifecycle.memory import settle_memory
from loopwright.rpc import BreakerSettings, Guard, RetrySettings, open_channel, run

BOUND = 1.4
TIMEOUT_S = 1.0
CPU_CALLS = 2_000
_ROOT = Path(__file__).parents[2]


@asynccontextmanager
async def served(kind: str) -> AsyncIterator[tuple[int, int]]:
    """Run a server in a process of its own; yields its port and process id."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.hop.server", kind,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=_ROOT,
    )  # fmt: skip
    assert process.stdin is not None and process.stdout is not None
    try:
        yield int(await process.stdout.readline()), process.pid
    finally:
        process.stdin.close()
        await process.wait()


async def cpu_us(arm: Arm, pid: int) -> tuple[float, float]:
    """Return the microseconds of CPU that a call costs this process and the server's."""
    server, own, calls = psutil.Process(pid), time.process_time(), CPU_CALLS
    before = server.cpu_times()
    for _ in range(calls):
        await arm()
    after, mine = server.cpu_times(), time.process_time() - own
    theirs = after.user + after.system - before.user - before.system
    return mine / calls * 1e6, theirs / calls * 1e6


async def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hop", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="rounds of each arm")
    parser.add_argument("--per-round", type=int, default=200, help="calls of an arm in a round")
    parser.add_argument("--dry", action="store_true", help="print and leave RESULTS.md as it is")
    asked = parser.parse_args()
    before = load()
    spans_on("hop-client")
    async with (
        served("bare") as (bare_port, bare_pid),
        served("ours") as (our_port, our_pid),
        grpc.aio.insecure_channel(f"127.0.0.1:{bare_port}") as bare,
        open_channel(f"127.0.0.1:{our_port}") as channel,
    ):
        call: Any = bare.unary_unary(ECHO)
        stub = RankingServiceStub(channel.guarded(Guard("echo", BreakerSettings(), RetrySettings())))
        settle_memory()
        parts, bounds, costs = [], [], []
        for name, size in SIZES.items():
            request = score_request(size)
            arms: dict[str, Arm] = {
                "bare echo": partial(call, request.SerializeToString(), timeout=TIMEOUT_S),
                "hop of ours": partial(stub.Score, request, timeout=TIMEOUT_S),
            }
            table = await measure(arms, rounds=asked.rounds, per_round=asked.per_round, warm_up=100)
            parts.append(f"### {name} each way\n\n" + latency_table(table, list(arms), "bare echo"))
            bounds.append(Bound(f"hop / echo of {name}, p50", table.ratio("hop of ours", "bare echo"), BOUND))
            for arm, pid in zip(arms, (bare_pid, our_pid), strict=True):
                costs.append((f"{arm}, {name}", *await cpu_us(arms[arm], pid)))
    text = "\n\n".join(
        [
            bounds_table(bounds),
            *parts,
            "### CPU of one call, one at a time\n\n" + markdown(["", "client µs", "server µs"], costs),
            "Ours: breaker and retry budget, deadline, identity, limit in flight, validation, errors, metrics, spans "
            "(5 % of the traces sampled, the others held until their end), protobuf both ways. Bare: bytes in, bytes "
            "out. Both: uvloop, the garbage collector frozen, freed memory kept.",
        ]
    )
    print(text if asked.dry else write_section("hop", "One hop", text, seeds=str(SEED), load_before=before))


if __name__ == "__main__":
    run(main)
