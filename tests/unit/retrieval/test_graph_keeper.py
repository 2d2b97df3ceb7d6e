import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from tests.bad_events import corrupt_values, inject, odd_events, poison_events

from loopwright.api.events.v1.feedback_pb2 import ActionKind, OrganicInteraction
from loopwright.domain.ids import event_id
from loopwright.eventlog import ACTIONS, ORGANIC, MemoryBroker, MemoryEventLog, Offsets, covers, make_event
from loopwright.featurespec.covisitation import build_graph
from loopwright.lifecycle import FixedClock
from loopwright.retrieval.graph_keeper import GraphKeeper
from loopwright.rpc import Deadline

CLOCK = FixedClock(1_700_000_000_000)


async def like(broker: MemoryBroker, user: int, item: int) -> None:
    subject = bytes([user]) * 16
    event = make_event(
        event_id("organic", user, item),
        CLOCK.now_ms(),
        CLOCK,
        "ingest",
        organic_interaction=OrganicInteraction(
            subject=subject, item_id=item, kind=ActionKind.ACTION_KIND_LIKE, liked=True
        ),
    )
    log = MemoryEventLog(broker, producer="ingest")
    await log.append(ORGANIC, subject, event, deadline=Deadline.after(5))


@asynccontextmanager
async def keeping(broker: MemoryBroker, folded: list[Offsets]) -> AsyncIterator[GraphKeeper]:
    log = MemoryEventLog(broker, producer="retrieval")
    with ThreadPoolExecutor(1) as executor:
        async with GraphKeeper(log, executor, 0.01, folded.append) as keeper:
            yield keeper


async def test_the_graph_includes_what_was_on_the_log_at_the_start_and_says_so() -> None:
    broker, folded = MemoryBroker(), list[Offsets]()
    for user, item in ((1, 10), (1, 20), (2, 10), (2, 20)):
        await like(broker, user, item)
    async with keeping(broker, folded) as keeper:
        assert keeper.graph.item_ids.tolist() == [10, 20]
        ends = await MemoryEventLog(broker, producer="retrieval").ends([ORGANIC])
        assert covers(folded[-1], ends)


async def test_what_is_appended_later_comes_in_by_a_new_graph_and_repetition_changes_nothing() -> None:
    broker, folded = MemoryBroker(), list[Offsets]()
    await like(broker, 1, 10)
    async with keeping(broker, folded) as keeper:
        first = keeper.graph
        await like(broker, 1, 30)
        await like(broker, 1, 30)
        ends = await MemoryEventLog(broker, producer="retrieval").ends([ORGANIC])
        async with asyncio.timeout(10):
            while not covers(folded[-1], ends):
                await asyncio.sleep(0.005)
        assert keeper.graph is not first
        assert keeper.graph.item_ids.tolist() == [10, 30]
        assert keeper.graph.digest() == build_graph(keeper.engagements.snapshot()).digest()


async def test_bad_records_neither_end_the_graph_nor_enter_it() -> None:
    broker, folded = MemoryBroker(), list[Offsets]()
    inject(broker, poison_events(60) + corrupt_values(12))
    for user, item in ((1, 10), (1, 20), (2, 10), (2, 20)):
        await like(broker, user, item)
    async with keeping(broker, folded) as keeper:
        before = keeper.graph.digest()
        assert keeper.graph.item_ids.tolist() == [10, 20]
        inject(broker, poison_events(60, seed=2) + odd_events(30) + corrupt_values(12, seed=2, topic=ACTIONS))
        ends = await MemoryEventLog(broker, producer="retrieval").ends([ORGANIC, ACTIONS])
        async with asyncio.timeout(10):
            while not covers(folded[-1], ends):
                await asyncio.sleep(0.005)
        assert keeper.skipped.counts.total() == 24
        assert set(keeper.graph.item_ids.tolist()) >= {10, 20} and 0 not in keeper.graph.item_ids.tolist()
        assert before
