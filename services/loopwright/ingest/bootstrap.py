"""Composition root of ingest: folds the catalogue and the watermarks, then wires intake, clock and servicer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from loopwright.eventlog import CATALOG, Record, SkipAndCount, Tail
from loopwright.ingest.clock_setting import ClockSetter
from loopwright.ingest.config import IngestSettings
from loopwright.ingest.convert import catalogue_flaw, purpose_of
from loopwright.ingest.intake import Intake, Limits
from loopwright.ingest.known_items import KnownItems
from loopwright.ingest.servicer import IngestServicer
from loopwright.ingest.subjects import subject_hasher
from loopwright.ingest.watermarks import Watermarks
from loopwright.lifecycle import Process
from loopwright.rpc import Deadline


@dataclass(frozen=True, slots=True)
class Ingest:
    """Ingest, ready: the domain objects for the one-process composition, the servicer for gRPC."""

    intake: Intake
    clock_setter: ClockSetter
    watermarks: Watermarks
    catalogue: Tail
    servicer: IngestServicer


@asynccontextmanager
async def bootstrap(settings: IngestSettings, process: Process) -> AsyncIterator[Ingest]:
    """Yield domain objects that know every item on the log and how far the log reaches.

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

    skipped = SkipAndCount("known items")

    def note(record: Record) -> None:
        if flaw := catalogue_flaw(record.event):
            skipped.invalid(record, flaw)
        else:
            intake.note(record.event)

    catalogue = Tail(log, [CATALOG], note, on_undecodable=skipped, aging=True, name="known items")
    startup = Deadline.after(settings.startup_timeout_s)
    await catalogue.start(startup)
    try:
        process.watch(catalogue)
        await marks.refresh(startup)
        setter = ClockSetter(log, clock, marks, gate)
        yield Ingest(intake, setter, marks, catalogue, IngestServicer(intake, setter, marks, clock))
    finally:
        await catalogue.stop()
