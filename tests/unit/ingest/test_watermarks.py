from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.bad_events import NOW_MS, corrupt_values, inject, odd_events, poison_events

from loopwright.api.events.v1.feedback_pb2 import OrganicInteraction
from loopwright.domain.ids import event_id
from loopwright.eventlog import ACTIONS, ORGANIC, Event, MemoryBroker, MemoryEventLog, make_event
from loopwright.faults import DeadlineExceeded
from loopwright.ingest.convert import purpose_of
from loopwright.ingest.watermarks import TopicMark, Watermarks
from loopwright.lifecycle import FixedClock
from loopwright.rpc import Deadline

FACTS = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 5)), min_size=1, max_size=20)


@given(st.data(), FACTS)
def test_a_mark_knows_no_order(data: st.DataObject, facts: list[tuple[int, int]]) -> None:
    marks = []
    for order in (facts, data.draw(st.permutations(facts))):
        mark = TopicMark()
        for occurred, recorded in order:
            mark.fold(occurred, recorded)
        marks.append(mark)
    assert marks[0] == marks[1]
    newest_batch = max(recorded for _, recorded in facts)
    settled = [occurred for occurred, recorded in facts if recorded < newest_batch]
    assert marks[0].newest_ms == max(occurred for occurred, _ in facts)
    assert marks[0].settled_ms == max(settled, default=TopicMark().settled_ms)


def organic(ms: int, recorded_ms: int = 0) -> Event:
    payload: dict[str, Any] = {"subject": b"s" * 16, "item_id": 1, "kind": 1}
    return make_event(
        event_id("o", ms), ms, FixedClock(recorded_ms), "ingest", organic_interaction=OrganicInteraction(**payload)
    )


class CountingLog(MemoryEventLog):
    """Counts how many records were read."""

    reads = 0

    def reader(self, topics: Any, *, start: Any = None, stop: Any = None, **rest: Any) -> Any:
        assert start is not None and stop is not None
        CountingLog.reads += sum(stop[place] - start[place] for place in stop)
        return super().reader(topics, start=start, stop=stop, **rest)


async def test_what_we_append_ourselves_is_not_read_again() -> None:
    CountingLog.reads = 0
    log = CountingLog(MemoryBroker(), producer="ingest")
    marks = Watermarks(log, purpose_of)
    deadline = Deadline.after(5)
    for n in range(3):
        events = [organic(n * 100 + i) for i in range(10)]
        entries = [(bytes([i]) * 16, event) for i, event in enumerate(events)]
        positions = await log.append_many(ORGANIC, entries, deadline=deadline)
        marks.appended(ORGANIC, positions, n * 100 + 9)
    await marks.refresh(deadline)
    assert (marks.newest_ms(), marks.newest_ms(ORGANIC), marks.newest_ms(ACTIONS)) == (209, 209, None)
    assert CountingLog.reads == 0


async def test_what_another_replica_appended_in_between_is_read() -> None:
    broker = MemoryBroker(partitions=1)
    log, other = MemoryEventLog(broker, producer="ingest"), MemoryEventLog(broker, producer="ingest")
    marks = Watermarks(log, purpose_of)
    deadline = Deadline.after(5)
    theirs = organic(500)
    await other.append(ORGANIC, b"k", theirs, deadline=deadline)
    positions = await log.append_many(ORGANIC, [(b"k", organic(100))], deadline=deadline)
    marks.appended(ORGANIC, positions, 100)
    assert marks.newest_ms() == 100
    await marks.refresh(deadline)
    assert marks.newest_ms() == 500
    assert theirs.event_id in marks.recent


async def test_a_reading_that_runs_out_of_time_goes_on_from_where_it_ended() -> None:
    log = MemoryEventLog(MemoryBroker(), producer="ingest")
    await log.append(ORGANIC, b"k", organic(7), deadline=Deadline.after(5))
    marks = Watermarks(log, purpose_of)
    with pytest.raises(DeadlineExceeded):
        await marks.refresh(Deadline.after(-1))
    await marks.refresh(Deadline.after(5))
    assert marks.newest_ms() == 7


async def test_bad_records_neither_end_the_reading_nor_move_a_watermark() -> None:
    broker = MemoryBroker()
    log = MemoryEventLog(broker, producer="ingest")
    inject(broker, corrupt_values(12) + poison_events(60) + odd_events(60))
    await log.append(ORGANIC, b"k", organic(NOW_MS - 7), deadline=Deadline.after(5))
    inject(broker, corrupt_values(12, seed=2, topic=ACTIONS))
    marks = Watermarks(log, purpose_of)
    await marks.refresh(Deadline.after(5))
    assert marks.newest_ms() == NOW_MS
    assert (marks.settled_ms(ORGANIC) or 0) <= NOW_MS
    assert marks.skipped.counts["UNDECODABLE"] + marks.skipped.counts["UNKNOWN_PAYLOAD"] == 24
    assert marks.skipped.counts["INVALID"] > 40
