"""Composition root of ingest: folds the catalogue and the watermarks, then wires intake, clock and servicer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from loopwright.eventlog import CATALOG, Record, Tail
from loopwright.ingest.clock_setting import ClockSetter
from loopwright.ingest.config import IngestSettings
from loopwright.ingest.convert import purpose_of
from loopwright.ingest.intake import Intake, Limits
from loopwright.ingest.known_items import KnownItems
from loopwright.ingest.servicer import IngestServicer
from loopwright.ingest.subjects import subject_hasher
from loopwright.ingest.watermarks import Watermarks
from loopwright.lifecycle import Process
from loopwright.rpc import Deadline


@asynccontextmanager
async def bootstrap(settings: IngestSettings, process: Process) -> AsyncIterator[IngestServicer]:
    """Yield a servicer that knows every item on the log and how far the log reaches.

    Args:
        settings: Settings of ingest.
        process: The running process: log and clock.

    Raises:
        DeadlineExceeded: The log was not read within `startup_timeout_s`.
    """
    log, clock, gate = process.log, process.clock, asyncio.Lock()
    marks = Watermarks(log, purpose_of)
    intake = Intake(
        log,
        clock,
        KnownItems(),
        marks,
        subject_hasher(settings.subject_key.get_secret_value().encode()),
        gate,
        Limits(settings.append_timeout_s, round(settings.future_slack_s * 1000)),
    )

    def note(record: Record) -> None:
        intake.note(record.event)

    catalogue = Tail(log, [CATALOG], note, name="known items")
    startup = Deadline.after(settings.startup_timeout_s)
    await catalogue.start(startup)
    try:
        process.watch(catalogue)
        await marks.refresh(startup)
        yield IngestServicer(intake, ClockSetter(log, clock, marks, gate), marks, clock)
    finally:
        await catalogue.stop()
