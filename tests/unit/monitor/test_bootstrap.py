from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from tests.bad_events import corrupt_values, inject, odd_events, poison_events

from loopwright.domain.enums import Source
from loopwright.eventlog import (
    ACTIONS,
    CATALOG,
    DECISIONS,
    READINESS,
    MemoryBroker,
    MemoryEventLog,
    offsets_from_json,
)
from loopwright.faults import CorruptRecord
from loopwright.lifecycle import Process, process_over
from loopwright.monitor.bootstrap import Monitor, bootstrap
from loopwright.monitor.config import MonitorSettings
from loopwright.rpc import Deadline
from loopwright.telemetry import Meter, names


@asynccontextmanager
async def running(broker: MemoryBroker, now_ms: int, meter: Meter) -> AsyncIterator[tuple[Process, Monitor]]:
    settings = MonitorSettings(interval_s=0.01)
    log = MemoryEventLog(broker, producer="monitor")
    async with process_over(log, "monitor", settings, wall_ms=lambda: now_ms) as process:
        async with bootstrap(settings, process, meter) as monitor:
            yield process, monitor


async def get(port: int) -> dict[str, Any]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /summary HTTP/1.1\r\n\r\n")
    body = (await reader.read()).partition(b"\r\n\r\n")[2]
    writer.close()
    await writer.wait_closed()
    found: dict[str, Any] = json.loads(body)
    return found


async def test_the_summary_holds_everything_that_was_on_the_log_at_the_call(make: SimpleNamespace) -> None:
    broker = MemoryBroker()
    make.put(broker, make.listed(1), make.decided("d1", {1: (Source.FRESH,)}))
    async with running(broker, make.NOW_MS, Meter()) as (_, monitor):
        make.put(broker, make.viewed("d1", {1: True}), make.acted("d1", 1))
        summary = await get(monitor.summary_port)
    assert summary["surfaces"]["home"]["accounting"]["acted"] == 1
    assert summary["surfaces"]["home"]["accounting"]["seen"] == 1
    assert summary["mesh_time_ms"] == make.NOW_MS
    topics = ("catalog", "decisions", "impressions", "actions", "organic")
    assert [summary["events"][topic] for topic in topics] == [1, 1, 1, 1, 0]
    assert sum(offsets_from_json(summary["folded"]).values()) == 4


async def test_the_gauges_follow_the_log(make: SimpleNamespace) -> None:
    broker, meter = MemoryBroker(), Meter()
    async with running(broker, make.NOW_MS, meter):
        make.put(broker, make.decided("d1", {1: (Source.FRESH,)}, degraded=True), make.viewed("d1", {1: True}))
        async with asyncio.timeout(5):
            while not meter.value(names.IMPRESSIONS_ACCOUNTED, surface="home", state="seen"):
                await asyncio.sleep(0.01)
    assert meter.value(names.DEGRADED_SHARE, surface="home") == 1.0
    assert meter.value(names.EXPOSURE_SOURCE_SHARE, surface="home", source="FRESH") == 1.0


async def test_what_cannot_be_read_is_counted_and_the_rest_is_in_the_figures(make: SimpleNamespace) -> None:
    broker = MemoryBroker()
    broken = make.decided("d", {1: (Source.FRESH,)})
    broken.slate_decided.slate_candidates.source_ranks.shape[0] = 2
    make.put(broker, broken)
    inject(broker, corrupt_values(12, topic=DECISIONS) + corrupt_values(12, seed=2, topic=CATALOG))
    inject(broker, poison_events(60, now_ms=make.NOW_MS) + odd_events(30, now_ms=make.NOW_MS))
    async with running(broker, make.NOW_MS, Meter()) as (_, monitor):
        inject(broker, corrupt_values(12, seed=3, topic=ACTIONS))
        make.put(broker, make.decided("d1", {1: (Source.FRESH,)}), make.viewed("d1", {1: True}))
        summary = await monitor.watcher.summary(Deadline.after(5))
    assert summary["surfaces"]["home"]["accounting"]["seen"] == 1
    skipped = summary["skipped"]
    assert skipped["UNDECODABLE"] + skipped["UNKNOWN_PAYLOAD"] == 36
    assert skipped["INVALID"] > 10
    json.dumps(summary, allow_nan=False)


async def test_the_process_ends_when_progress_cannot_be_read(make: SimpleNamespace) -> None:
    broker = MemoryBroker()
    async with running(broker, make.NOW_MS, Meter()) as (process, _):
        inject(broker, corrupt_values(1, topic=READINESS))
        with pytest.raises(CorruptRecord):
            await process.stopped()
