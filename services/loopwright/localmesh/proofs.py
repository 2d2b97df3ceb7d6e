"""Proofs over the log itself: a verifier on the live log's policies, and random full decisions read back and proven.

`loopwright explain --verify`, the demo and tests call it with an event log and the model store.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from loopwright.bundle import BundleFeed, FallbackOrder, order_of
from loopwright.domain.enums import Purpose
from loopwright.domain.ids import decision_wall_ms
from loopwright.domain.randomness import sample_without_replacement
from loopwright.eventlog import (
    DECISIONS,
    FALLBACKS,
    FUNNELS,
    Event,
    EventLog,
    Offsets,
    SkipAndCount,
    occurred_at_ms,
    replay,
)
from loopwright.faults import CorruptRecord
from loopwright.localmesh.verify import Link, Proof, Verifier
from loopwright.modelstore import ModelStore
from loopwright.pipeline.convert.decision import record_from_proto
from loopwright.pipeline.convert.degradations import versions_from_proto
from loopwright.pipeline.convert.funnel import unpack_funnel
from loopwright.pipeline.record import DecisionRecord
from loopwright.pipeline.types import Versions

SAMPLE_LABEL = "proofs"
"""Stream of the draw: the same log and seed prove the same decisions."""


@dataclass(frozen=True, slots=True)
class Proven:
    """What came of proving a sample.

    Attributes:
        eligible: Decisions of the asked purposes on the log whose whole funnel is on record.
        proofs: One a decision drawn, in the order of drawing.
        versions: The distinct versions that the decisions ran under, first met first; index epochs left aside.
    """

    eligible: int
    proofs: tuple[Proof, ...]
    versions: tuple[Versions, ...]

    @property
    def holding(self) -> int:
        """Number of proofs that hold."""
        return sum(proof.holds for proof in self.proofs)

    @property
    def broken(self) -> Mapping[str, int]:
        """Name of a broken link -> number of decisions in which it broke, the most frequent first."""
        return dict(Counter(link for proof in self.proofs for link in proof.broken).most_common())

    @property
    def policies(self) -> tuple[str, ...]:
        """Policy versions covered."""
        return tuple(dict.fromkeys(v.policy_version for v in self.versions))

    @property
    def rankers(self) -> tuple[str, ...]:
        """Ranker versions covered; "" stands for decisions without a ranker."""
        return tuple(dict.fromkeys(v.ranker_version for v in self.versions))


@asynccontextmanager
async def verifier(log: EventLog, store: ModelStore) -> AsyncIterator[Verifier]:
    """Open a verifier over the policies and fallback orders that the log holds now.

    Raises:
        LogUnavailable: The log does not answer.
    """
    async with BundleFeed(log) as feed:
        yield Verifier(store, feed.get, feed.intervals, await _orders(log))


async def verify_many(
    log: EventLog,
    store: ModelStore,
    count: int,
    seed: int,
    told: Callable[[int], object] = lambda done: None,
    purposes: Collection[Purpose] = (Purpose.SERVE,),
    since_ms: int = 0,
) -> Proven:
    """Prove `count` decisions, drawn uniformly from all of these purposes whose funnel is on record.

    Args:
        log: The event log; read up to its present ends.
        store: The models that the decisions name.
        count: How many; all when the log holds fewer.
        seed: Of the draw.
        told: Called with the number of decisions proven so far.
        purposes: Whose decisions; by default those that were shown.
        since_ms: Unix milliseconds; decisions made before are not drawn.
    """
    stop = await log.ends([DECISIONS, FUNNELS])
    known = await _full_decisions(log, stop, purposes, since_ms)
    drawn = [known[i] for i in sample_without_replacement(seed, SAMPLE_LABEL, len(known), count)]
    recorded = await _read(log, stop, set(drawn))
    proofs: list[Proof] = []
    versions: dict[Versions, None] = {}
    async with verifier(log, store) as checker:
        for decision_id in drawn:
            proof, version = await asyncio.to_thread(_proof, checker, decision_id, *recorded[decision_id])
            proofs.append(proof)
            versions[version] = None
            told(len(proofs))
    return Proven(len(known), tuple(proofs), tuple(versions))


async def _orders(log: EventLog) -> dict[str, FallbackOrder]:
    """Return every readable fallback order by the hex digits of its id."""
    found: dict[str, FallbackOrder] = {}
    async for records in replay(log, [FALLBACKS], stop=await log.ends([FALLBACKS])):
        for record in records:
            with suppress(CorruptRecord):  # the feed has warned of it, and nobody was served from it
                order = order_of(record.event)
                found[order.epoch] = order
    return found


async def _full_decisions(log: EventLog, stop: Offsets, purposes: Collection[Purpose], since_ms: int) -> list[bytes]:
    """Return the ids of decisions with a funnel, sorted, so that the draw does not depend on partitions."""
    found: set[bytes] = set()
    left_since_ms = await _funnels_since_ms(log, stop)
    async for records in replay(log, [DECISIONS], stop=stop, on_undecodable=SkipAndCount("proofs")):
        for record in records:
            if occurred_at_ms(record.event) < since_ms:
                continue
            decided = record.event.slate_decided
            if not decided.funnel_chunks or int(decided.request.purpose) not in purposes:
                continue
            if decision_wall_ms(decided.decision_id) >= left_since_ms.get(record.partition, 0):
                found.add(decided.decision_id)
    return sorted(found)


async def _funnels_since_ms(log: EventLog, stop: Offsets) -> dict[int, float]:
    """Return the wall time of the oldest funnel left in each partition from which retention has taken some."""
    since: dict[int, float] = {}
    for place, first in (await log.starts([FUNNELS])).items():
        if not first:
            continue
        since[place[1]] = math.inf
        reading = log.reader(
            [FUNNELS],
            start={place: first},
            stop={place: stop[place]},
            partitions=[place[1]],
            on_undecodable=SkipAndCount("proofs"),
        )
        async with reading as reader:
            while not reader.done():
                if records := await reader.read():
                    since[place[1]] = records[0].log_time_ms
                    break
    return since


async def _read(log: EventLog, stop: Offsets, wanted: set[bytes]) -> dict[bytes, tuple[Event, dict[int, bytes]]]:
    """Return each wanted decision's event and the parts of its funnel; of a record sent twice the first counts."""
    events: dict[bytes, Event] = {}
    parts: dict[bytes, dict[int, bytes]] = {decision_id: {} for decision_id in wanted}
    async for records in replay(log, [DECISIONS, FUNNELS], stop=stop, on_undecodable=SkipAndCount("proofs")):
        for record in records:
            decided, chunk = record.event.slate_decided, record.event.funnel_chunk
            if decided.decision_id in wanted:
                events.setdefault(decided.decision_id, record.event)
            elif chunk.decision_id in wanted:
                parts[chunk.decision_id].setdefault(chunk.index, chunk.data)
    return {decision_id: (events[decision_id], parts[decision_id]) for decision_id in wanted}


def _proof(checker: Verifier, decision_id: bytes, event: Event, parts: dict[int, bytes]) -> tuple[Proof, Versions]:
    versions = versions_from_proto(event.versions)
    try:
        record = recorded_decision(event, parts)
    except CorruptRecord as fault:
        proof = Proof(decision_id, False, (Link("record", False, str(fault)),))
    else:
        proof = checker.verify(record)
    return proof, Versions(
        versions.policy_version, versions.two_tower_version, versions.pre_ranker_version, versions.ranker_version
    )


def recorded_decision(event: Event, parts: Mapping[int, bytes]) -> DecisionRecord:
    """Return the record of a decision's event and the parts of its funnel by index.

    Raises:
        CorruptRecord: A part is missing or damaged.
    """
    if sorted(parts) != list(range(event.slate_decided.funnel_chunks)):
        raise CorruptRecord(f"{len(parts)} of {event.slate_decided.funnel_chunks} parts of the funnel are on the log")
    return _recorded(event, unpack_funnel(parts[index] for index in sorted(parts)) if parts else None)


def recorded_slate(event: Event) -> DecisionRecord:
    """Return the record of a decision's event alone, without the funnel it may have.

    Raises:
        CorruptRecord: A part of the event is damaged.
    """
    return _recorded(event, None)


def _recorded(event: Event, funnel: Any) -> DecisionRecord:
    return record_from_proto(
        event.slate_decided,
        funnel,
        surface=event.surface,
        occurred_at_ms=occurred_at_ms(event),
        versions=versions_from_proto(event.versions),
    )
