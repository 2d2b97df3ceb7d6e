"""Composition root of the monitor: catalogue first, then decisions and feedback, then progress, gauges and /summary."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from loopwright.eventlog import ACTIONS, CATALOG, DECISIONS, IMPRESSIONS, READINESS, Tail
from loopwright.lifecycle import Process
from loopwright.monitor.catching_up import catch_up
from loopwright.monitor.config import MonitorSettings
from loopwright.monitor.health import LoopHealth, Windows
from loopwright.monitor.progress import ConsumerProgress
from loopwright.monitor.strays import DAY_MS
from loopwright.monitor.summary_http import summary_port
from loopwright.monitor.watcher import Watcher
from loopwright.rpc import Deadline
from loopwright.telemetry import METER, Meter


@dataclass(frozen=True, slots=True)
class Monitor:
    """A running monitor."""

    watcher: Watcher
    summary_port: int


@asynccontextmanager
async def bootstrap(settings: MonitorSettings, process: Process, meter: Meter = METER) -> AsyncIterator[Monitor]:
    """Yield a monitor that has folded the log to its end.

    Args:
        settings: Settings of the monitor.
        process: The running process: log and clock.
        meter: Where the gauges are.

    Raises:
        OSError: The summary port is taken.
    """
    health = LoopHealth(
        Windows(
            round(settings.report_window_s * 1000),
            settings.exposure_window_days,
            settings.fresh_window_days * DAY_MS,
        )
    )
    progress = ConsumerProgress()
    topics = [DECISIONS, IMPRESSIONS, ACTIONS]
    # Freshness of a position is that of its item at the time, so the catalogue is folded before the decisions.
    skipped = health.skipped
    catalogue = Tail(process.log, [CATALOG], health.apply, on_undecodable=skipped, name="catalogue")
    readiness = Tail(process.log, [READINESS], progress.apply, gather=True, name="progress of consumers")
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(catalogue)
        reached = await catch_up(
            process.log,
            topics,
            health.apply,
            lambda: health.tidy(min(health.newest_ms, process.clock.now_ms())),
            wall_ms=process.clock.wall_ms(),
            on_undecodable=skipped,
        )
        feedback = Tail(
            process.log,
            topics,
            health.apply,
            start=reached,
            on_undecodable=skipped,
            gather=True,
            name="decisions and feedback",
        )
        await stack.enter_async_context(feedback)
        await stack.enter_async_context(readiness)
        for tail in (catalogue, feedback, readiness):
            process.watch(tail)
        watcher = Watcher(
            process.log,
            process.clock,
            health,
            progress,
            (catalogue, feedback),
            interval_s=settings.interval_s,
            meter=meter,
            wall_ms=process.clock.wall_ms,
        )
        await stack.enter_async_context(watcher)
        process.watch(watcher)
        port = await stack.enter_async_context(
            summary_port(settings.summary_port, lambda: watcher.summary(Deadline.after(settings.summary_timeout_s)))
        )
        yield Monitor(watcher, port)
