"""Start and stop order of every process: telemetry, metrics port, log, mesh clock, heartbeat; closed in reverse."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

from loopwright.eventlog import CONTROL, EventLog, KafkaEventLog, Tail, WallClock, wall_now_ms
from loopwright.lifecycle.clock import MeshClock
from loopwright.lifecycle.memory import settle_memory
from loopwright.lifecycle.reporter import ReadinessReporter
from loopwright.lifecycle.settings import ServiceSettings
from loopwright.rpc import Deadline, stop_requested
from loopwright.telemetry import configure, get_logger, metrics_port

_log = get_logger(__name__)


class Watched(Protocol):
    """What a process stands and falls with: a tail, a feed, a reporter."""

    async def wait(self) -> None:
        """Return once it was stopped; raise what ended it otherwise."""
        ...


@dataclass(frozen=True, slots=True)
class Process:
    """What a service's bootstrap gets from its process.

    Attributes:
        service: Name of the service.
        replica: Name of this replica.
        log: The event log; closes after everything that uses it.
        clock: The mesh clock, folded to the end of CONTROL.
        readiness: Where to report what was loaded.
        metrics_port: Port of /metrics; 0 in a process that serves none.
    """

    service: str
    replica: str
    log: EventLog
    clock: MeshClock
    readiness: ReadinessReporter
    metrics_port: int = 0
    _watched: list[Watched] = field(default_factory=list)

    def watch(self, tail: Watched) -> None:
        """Make the process end when a tail fails: a service that no longer follows the log must not serve on."""
        self._watched.append(tail)

    async def stopped(self) -> None:
        """Return on SIGTERM or SIGINT.

        Raises:
            Exception: What ended a watched tail.
        """
        settle_memory()
        waits = [asyncio.ensure_future(tail.wait()) for tail in self._watched]
        signal = asyncio.ensure_future(stop_requested())
        try:
            await asyncio.wait([signal, *waits], return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                if wait.done():
                    wait.result()
        finally:
            for task in (signal, *waits):
                task.cancel()
            await asyncio.wait([signal, *waits])


@asynccontextmanager
async def process(service: str, settings: ServiceSettings) -> AsyncIterator[Process]:
    """Run a service's process; leaving the block reports STOPPED and closes the log last.

    Raises:
        LogUnavailable: No broker answers.
        TopicsMismatch: The topics are not those of the table.
        OSError: The metrics port is taken.
    """
    provider = configure(service, settings.telemetry, level=settings.log_level, replica=settings.replica)
    # The Kafka client logs every attempt to reconnect; an outage is told by our own faults, ages and heartbeats.
    logging.getLogger("aiokafka").setLevel("DEBUG" if settings.log_level == "DEBUG" else "CRITICAL")
    try:
        with metrics_port(settings.metrics_port, settings.metrics_host) as port:
            async with KafkaEventLog.open(
                settings.kafka_bootstrap,
                producer=service,
                replica=settings.replica,
                prefix=settings.topic_prefix,
                settings=settings.log.model_copy(update={"open_timeout_s": settings.startup_timeout_s}),
            ) as log:
                async with process_over(log, service, settings, metrics_port=port) as running:
                    _log.info("process started", extra={"replica": running.replica, "metrics_port": port})
                    yield running
    finally:
        provider.shutdown()


@asynccontextmanager
async def process_over(
    log: EventLog,
    service: str,
    settings: ServiceSettings,
    *,
    wall_ms: WallClock = wall_now_ms,
    metrics_port: int = 0,
) -> AsyncIterator[Process]:
    """Run the part of `process` that needs nothing but a log: for tests and the one-process composition.

    Raises:
        DeadlineExceeded: CONTROL could not be folded within `startup_timeout_s`.
    """
    clock = MeshClock(wall_ms)
    control = Tail(log, [CONTROL], clock.apply, aging=True, name="control")
    await control.start(Deadline.after(settings.startup_timeout_s))
    try:
        reporter = ReadinessReporter(
            log, clock, service, settings.replica, heartbeat_interval_s=settings.heartbeat_interval_s
        )
        async with reporter:
            running = Process(service, settings.replica, log, clock, reporter, metrics_port)
            running.watch(control)
            running.watch(reporter)
            yield running
    finally:
        await control.stop()
