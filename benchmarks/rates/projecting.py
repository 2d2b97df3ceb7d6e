"""One projector stage alone, from an empty store to the end of the log; stage 2 folds what stage 1 has derived."""

from __future__ import annotations

import asyncio
import time

from loopwright.eventlog import ITEM_FACTS, ORGANIC, EventLog, Offsets, covers, wall_now_ms
from loopwright.lifecycle import FixedClock
from loopwright.projector.claims import Claims
from loopwright.projector.config import Pace
from loopwright.projector.fence import FencedStore
from loopwright.projector.item_stage import ItemStage
from loopwright.projector.parking import ParkingLot
from loopwright.projector.redis_store import open_redis_store
from loopwright.projector.runner import StageRunner
from loopwright.projector.stage import Stage, log_outlet
from loopwright.projector.store import Write
from loopwright.projector.user_stage import UserStage

_CLOCK = FixedClock(2_000_000_000_000)


async def users_caught_up(log: EventLog, redis: str, namespace: str) -> float:
    """Return the milliseconds in which stage 1 folds all interactions on the log, beginning with an empty store."""
    return await _caught_up(log, redis, namespace, UserStage, await log.ends([ORGANIC]))


async def items_caught_up(log: EventLog, redis: str, namespace: str) -> float:
    """Return the milliseconds in which stage 2 folds all facts that stage 1 has derived, beginning from nothing."""
    return await _caught_up(log, redis, namespace, ItemStage, await log.ends([ITEM_FACTS]))


async def _caught_up(
    log: EventLog, redis: str, namespace: str, kind: type[UserStage] | type[ItemStage], ends: Offsets
) -> float:
    partitions = range(log.partitions)
    outlet = log_outlet(log, _CLOCK, 30.0)
    reached = asyncio.Event()

    def told(_: str, offsets: Offsets) -> None:
        if covers(offsets, ends):
            reached.set()

    async with open_redis_store(redis, namespace) as store:
        fenced = FencedStore(store, kind.name, "rates")
        await store.commit([Write(values=fenced.initial)])
        stage: Stage = kind(fenced, outlet, partitions)
        lot = ParkingLot(store, stages=1)
        await lot.see(None)
        runner = StageRunner(
            log, stage, fenced, outlet, lot, Claims(), Pace(), partitions=partitions, wall_ms=wall_now_ms, report=told
        )
        began = time.perf_counter()
        async with asyncio.timeout(120), asyncio.TaskGroup() as group:
            folding = group.create_task(runner.run())
            await reached.wait()
            taken = time.perf_counter() - began
            folding.cancel()
    return taken * 1000
