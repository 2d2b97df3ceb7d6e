"""Reads one decision back from the log: the slate's event and, when on record, its funnel.

The id carries its logical partition and wall time, so the look-up seeks instead of scanning a topic.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from loopwright.domain.ids import decision_partition, decision_wall_ms, physical_partition
from loopwright.eventlog import DECISIONS, FUNNELS, Event, EventLog, SkipAndCount, Topic
from loopwright.faults import DecisionNotFound
from loopwright.recommender.convert import joined_funnel, part_of
from loopwright.rpc import Deadline

SEEK_MARGIN_MS = 5_000
"""How far before a decision's wall time the look-up starts: clocks of hosts differ."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A decision as the log holds it; `funnel` is None when only the slate was logged, or only the slate is left."""

    event: Event
    funnel: Any


class DecisionReader:
    """Looks decisions up by id."""

    def __init__(self, log: EventLog, outbox_max_age_s: float) -> None:
        """Take the log and how late a record may have been appended."""
        self._log = log
        self._max_age_ms = int(outbox_max_age_s * 1000)

    async def read(self, decision_id: bytes, deadline: Deadline) -> Recorded:
        """Return the decision.

        Raises:
            DecisionNotFound: No record of it where it would have to be.
            CorruptRecord: A part of its funnel is missing, and retention has not taken it.
        """
        found = await self._scan(DECISIONS, decision_id, deadline)
        if not found:
            raise DecisionNotFound(f"no decision {decision_id.hex()} on the log")
        event = found[0]
        if not event.slate_decided.funnel_chunks:
            return Recorded(event, None)
        count, chunks = event.slate_decided.funnel_chunks, await self._scan(FUNNELS, decision_id, deadline)
        if len(chunks) < count and await self._expired(FUNNELS, decision_id):
            return Recorded(event, None)
        return Recorded(event, joined_funnel(count, chunks))

    async def _expired(self, topic: Topic, decision_id: bytes) -> bool:
        """Say whether retention has taken records from where the decision's own would begin."""
        partition = physical_partition(decision_partition(decision_id), self._log.partitions)
        begins = await self._log.offsets_at(topic, decision_wall_ms(decision_id) - SEEK_MARGIN_MS, [partition])
        first = (await self._log.starts([topic]))[topic.name, partition]
        return 0 < first == begins[topic.name, partition]

    async def _scan(self, topic: Topic, decision_id: bytes, deadline: Deadline) -> list[Event]:
        """Return the first events of the decision on the topic: one slate, or one of each funnel part."""
        wall_ms = decision_wall_ms(decision_id)
        partition = physical_partition(decision_partition(decision_id), self._log.partitions)
        start = await self._log.offsets_at(topic, wall_ms - SEEK_MARGIN_MS, [partition])
        stop = {k: v for k, v in (await self._log.ends([topic])).items() if k[1] == partition}
        events: dict[int, Event] = {}
        reading = self._log.reader(
            [topic], start=start, stop=stop, partitions=[partition], on_undecodable=SkipAndCount("explain")
        )
        async with reading as reader:
            while not reader.done():
                deadline.check()
                for record in await reader.read(min(0.2, deadline.remaining())):
                    if record.log_time_ms > wall_ms + self._max_age_ms:
                        return list(events.values())
                    index, count = part_of(record.event, decision_id)
                    if count:
                        events.setdefault(index, record.event)
                        if len(events) == count:
                            return list(events.values())
        return list(events.values())
