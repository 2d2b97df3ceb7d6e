"""`DurableWriter`: appends that succeed while the log or the local disk works; exposure writes through it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from enum import Enum
from types import TracebackType
from typing import NamedTuple, Self

from loopwright.api.events.v1.event_pb2 import Event
from loopwright.eventlog.appending import check_writer, encode, sending
from loopwright.eventlog.outbox import Lane, Outbox
from loopwright.eventlog.outbox_bounds import Worth
from loopwright.eventlog.topics import Topic, topic_named
from loopwright.eventlog.types import EventLog, Position
from loopwright.faults import AppendTimeout, DeadlineExceeded, Fault, LogUnavailable
from loopwright.rpc import Deadline
from loopwright.telemetry import get_logger

_log = get_logger(__name__)
_BATCH_RECORDS = 500
_BATCH_BYTES = 512 * 1024
_IDLE_S = 1.0
_POLL_S = 0.02


class Where(Enum):
    """Where an appended record is durable."""

    KAFKA = "KAFKA"
    OUTBOX = "OUTBOX"


class Appended(NamedTuple):
    """What became of an append; `position` is known only for records on the log."""

    where: Where
    position: Position | None


class DurableWriter:
    """Appends to the log within a budget, else to the outbox, and resends from there by the same event ids.

    Once a record of a partition waits in the outbox, later ones of that partition follow it there until it is drained.
    After a failure all appends go to the outbox but one per `probe_after_s`, so that an outage costs its budget a few
    times a second and not once per request, and leaves as few records with the log's client, which never drops them.
    """

    def __init__(
        self,
        log: EventLog,
        outbox: Outbox | None,
        *,
        kafka_budget_s: float = 0.02,
        outbox_reserve_s: float = 0.01,
        probe_after_s: float = 0.25,
        resend_timeout_s: float = 5.0,
        longest_pause_s: float = 0.5,
        drain_timeout_s: float = 2.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Describe the writer; `async with` runs its pump.

        Args:
            log: The log; its producer writes the topics.
            outbox: A running outbox; None: KAFKA_ONLY, an outage is the caller's.
            kafka_budget_s: Longest wait for the log's acknowledgement.
            outbox_reserve_s: Kept of the deadline for the outbox.
            probe_after_s: How long a failure keeps appends from the log, and time between two that try again.
            resend_timeout_s: Longest wait for a resent batch.
            longest_pause_s: Upper bound of the pause between failed attempts to resend, and so of noticing the log.
            drain_timeout_s: Time given to the outbox to drain when the block is left; the rest waits on disk.
            clock: Monotonic seconds.
        """
        self._log, self._outbox, self._clock = log, outbox, clock
        self._kafka_budget_s, self._reserve_s, self._probe_after_s = kafka_budget_s, outbox_reserve_s, probe_after_s
        self._resend_timeout_s, self._longest_pause_s = resend_timeout_s, longest_pause_s
        self._drain_timeout_s = drain_timeout_s
        self._away, self._away_until = False, 0.0
        self._task: asyncio.Task[None] | None = None

    async def append(
        self, topic: Topic, key: bytes, event: Event, *, deadline: Deadline, worth: Worth = Worth.EVIDENCE
    ) -> Appended:
        """Append one event and return once it is durable; `worth` counts while the log is away only.

        Raises:
            AppendTimeout: Durable nowhere by the deadline; it may still land, so a retry keeps the event id.
            OutboxFull: The log is away and the outbox at its bound for records of this worth.
            LogUnavailable: The log is away and there is no outbox.
            MessageTooLarge: The encoded event is too large.
            WriterRefused: Another service writes this topic, or the topic does not carry this payload.
        """
        if self._outbox is None:
            return Appended(Where.KAFKA, await self._log.append(topic, key, event, deadline=deadline))
        lane = self._outbox.lane(topic.name, key)
        if not self._outbox.waits(lane) and self._may_try():
            try:
                direct = deadline.child(self._kafka_budget_s, self._reserve_s)
                position = await self._log.append(topic, key, event, deadline=direct)
                self._away = False
                return Appended(Where.KAFKA, position)
            except (AppendTimeout, LogUnavailable) as fault:
                self._away, self._away_until = True, self._clock() + self._probe_after_s
                _log.warning("append goes to the outbox", extra={"topic": topic.name, "reason": fault.reason})
        check_writer(topic, self._log.producer)
        with sending(topic, 1) as traceparent:
            [entry] = encode(topic, [(key, event)], traceparent, self._log.replica)
            await self._outbox.append(topic.name, entry, deadline=deadline, worth=worth)
        return Appended(Where.OUTBOX, None)

    async def append_many(
        self,
        topic: Topic,
        entries: Sequence[tuple[bytes, Event]],
        *,
        deadline: Deadline,
        worth: Worth = Worth.EVIDENCE,
    ) -> list[Appended]:
        """Append several, side by side; returns when all are durable.

        Raises:
            Fault: The first failure, after all have come to an end; the others may be durable.
        """
        appends = (self.append(topic, key, event, deadline=deadline, worth=worth) for key, event in entries)
        outcomes = await asyncio.gather(*appends, return_exceptions=True)
        done: list[Appended] = []
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
            done.append(outcome)
        return done

    async def drained(self, deadline: Deadline) -> None:
        """Return once nothing waits in the outbox.

        Raises:
            DeadlineExceeded: Something still waits.
        """
        while self._outbox is not None and self._outbox.depth:
            if deadline.expired:
                raise DeadlineExceeded(f"{self._outbox.depth} records wait in the outbox")
            await asyncio.sleep(min(_POLL_S, deadline.remaining()))

    async def __aenter__(self) -> Self:
        """Run the pump; it begins with what a former process left."""
        if self._outbox is not None:
            self._task = asyncio.create_task(self._pump(self._outbox), name="outbox pump")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Drain within the timeout, then stop; what is left waits on disk for the next process."""
        if self._task is None:
            return
        try:
            await self.drained(Deadline.after(self._drain_timeout_s))
        except DeadlineExceeded as fault:
            _log.warning("records stay in the outbox", extra={"reason": fault.message})
        finally:
            self._task.cancel()
            await asyncio.wait([self._task])

    def _may_try(self) -> bool:
        if self._away:
            if self._clock() < self._away_until:
                return False
            self._away_until = self._clock() + self._probe_after_s  # one tries, the others do not wait with it
        return True

    async def _pump(self, outbox: Outbox) -> None:
        pause_s = 0.0
        failures: dict[Lane, int] = {}
        while True:
            await outbox.arrived(_IDLE_S)
            # One lane tries the log, the rest follow when it answers. Lanes that failed come last, so that what cannot
            # be sent from one does not hold up the others.
            lanes = sorted(outbox.waiting_lanes(), key=lambda lane: failures.get(lane, 0))
            if lanes and await self._resent(outbox, lanes[0], failures):
                pause_s = 0.0
                await asyncio.gather(*(self._resent(outbox, lane, failures) for lane in lanes[1:]))
            elif lanes:
                pause_s = min(self._longest_pause_s, max(0.05, pause_s * 2))
                await asyncio.sleep(pause_s)

    async def _resent(self, outbox: Outbox, lane: Lane, failures: dict[Lane, int]) -> bool:
        try:
            await self._resend(outbox, lane)
        except Exception as error:
            # Nothing is given up: a record that can never be sent makes the outbox age until appends fail.
            failures[lane] = max(failures.values(), default=0) + 1
            reason = error.reason if isinstance(error, Fault) else type(error).__name__
            _log.warning("resending failed", extra={"topic": lane[0], "reason": reason})
            return False
        failures.pop(lane, None)
        return True

    async def _resend(self, outbox: Outbox, lane: Lane) -> None:
        entries = await outbox.oldest(lane, records=_BATCH_RECORDS, size=_BATCH_BYTES)
        deadline = Deadline.after(self._resend_timeout_s)
        await self._log.append_encoded(topic_named(lane[0]), entries, deadline=deadline)
        self._away = False
        await outbox.acknowledge(lane, len(entries))
