import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from tests.tiny_models import put_two_tower

from loopwright.api.events.v1.catalog_pb2 import ItemUpserted
from loopwright.api.events.v1.feedback_pb2 import ACTION_KIND_RATE, OrganicInteraction
from loopwright.domain.ids import event_id, item_id, item_key, subject_of
from loopwright.eventlog import CATALOG, ITEM_ROWS, ORGANIC, MemoryBroker, MemoryEventLog, make_event
from loopwright.faults import DeadlineExceeded, InvalidRequest
from loopwright.lifecycle import FixedClock, MeshClock, ReadinessReporter
from loopwright.localmesh import replaying
from loopwright.localmesh.replaying import Comparison, checked_offsets, replay_into
from loopwright.modelstore import ModelStore
from loopwright.projector.config import Pace
from loopwright.projector.parking import SOURCES
from loopwright.projector.projector import Projector
from loopwright.projector.store import MemoryStore, Write
from loopwright.rpc import Deadline

NOW_MS = 1_800_000_000_000


def soon() -> Deadline:
    """Return a deadline that a slow machine keeps; made per call, since a session of tests outlasts any constant."""
    return Deadline.after(60)


QUICK = Pace(poll_interval_ms=5, progress_interval_ms=10, sweep_interval_ms=10)


@dataclass
class Live:
    """A log with a running projector over it."""

    broker: MemoryBroker
    store: MemoryStore
    models: ModelStore
    two_tower: str

    def log(self, producer: str = "cli") -> MemoryEventLog:
        return MemoryEventLog(self.broker, producer=producer)

    async def rate(self, numbers: range, *, items: int = 8) -> None:
        clock, log = FixedClock(NOW_MS), self.log("ingest")
        for number in numbers:
            at_ms = NOW_MS - 100_000 + number
            name = f"item-{number % items}"
            fact = ItemUpserted(item_id=item_id(name), external_id=name, title=name, tags=[f"tag-{number % 3}"])
            event = make_event(event_id("item", number), at_ms, clock, "ingest", item_upserted=fact)
            await log.append(CATALOG, item_key(item_id(name)), event, deadline=soon())
            subject = subject_of(f"user-{number % 5}", anonymous=False, key=b"k")
            rated = OrganicInteraction(
                subject=subject, item_id=item_id(name), kind=ACTION_KIND_RATE, value=4, liked=True
            )
            event = make_event(event_id("rate", number), at_ms, clock, "ingest", organic_interaction=rated)
            await log.append(ORGANIC, subject, event, deadline=soon())

    async def replay(self, **options: object) -> Comparison:
        return await replay_into(
            self.log(), self.store, MemoryStore(), models=self.models, two_tower=self.two_tower, **options
        )  # type: ignore[arg-type]


@asynccontextmanager
async def projecting(broker: MemoryBroker, store: MemoryStore) -> AsyncIterator[None]:
    projector = Projector(
        MemoryEventLog(broker, producer="projector"), store, FixedClock(NOW_MS), pace=QUICK, wall_ms=lambda: NOW_MS
    )
    running = asyncio.create_task(projector.run())
    try:
        yield
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[Live]:
    broker, store = MemoryBroker(partitions=4, wall_ms=lambda: NOW_MS), MemoryStore()
    models = ModelStore(tmp_path / "models")
    vocabulary = np.array([item_id(f"item-{n}") for n in range(4)], np.uint64)
    tower = put_two_tower(models, vocabulary).model_version
    async with projecting(broker, store):
        yield Live(broker, store, models, tower)


async def settled(live: Live) -> None:
    """Wait until the projector has folded what is on the log: parking it there and letting it go shows that."""
    await live.replay()


async def test_rows_rebuilt_from_the_log_equal_the_live_ones_in_any_batch_size(live: Live) -> None:
    await live.rate(range(60))
    for batch in (1, 7, 2000):
        found = await live.replay(batch=batch)
        assert found.differences == () and found.live == found.fresh
        assert (found.fresh.hashes.user_rows, found.fresh.hashes.item_rows) == (5, 8)
        assert found.records == 120 and len(found.fresh.index) == 32


async def test_the_live_projector_goes_on_afterwards(live: Live) -> None:
    await live.rate(range(10))
    first = await live.replay()
    await live.rate(range(10, 30))
    second = await live.replay()
    assert second.differences == () and second.records == 60
    assert first.fresh.hashes.users != second.fresh.hashes.users


async def test_one_changed_row_is_a_difference_that_is_named(live: Live) -> None:
    await live.rate(range(20))
    await settled(live)
    async for key, fields in live.store.scan("user:"):
        group, state = next(iter(fields.items()))
        await live.store.commit([_write(key, group, state + b"\x00")])
        break
    assert (await live.replay()).differences == ("user rows",)


async def test_a_lost_item_row_differs_in_rows_and_in_index_contents(live: Live) -> None:
    await live.rate(range(20))
    await settled(live)
    async for key, _ in live.store.scan("item:"):
        live.store._rows.pop(key)
        break
    assert (await live.replay()).differences == ("item rows", "index contents")


async def test_offsets_that_the_projector_has_passed_are_folded_and_not_compared(live: Live) -> None:
    await live.rate(range(20))
    early = await live.log().ends(SOURCES)
    then = (await live.replay()).fresh
    await live.rate(range(20, 30))
    await settled(live)
    found = await live.replay(offsets=early)
    assert found.live is None and found.differences == ()
    assert found.fresh == then


async def test_given_offsets_at_which_the_projector_stands_are_compared(live: Live) -> None:
    await live.rate(range(20))
    found = await live.replay(offsets=await live.log().ends(SOURCES))
    assert found.live == found.fresh


async def test_the_projector_is_released_when_the_comparison_fails(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    async def failing(store: object, tower: object) -> object:
        raise DeadlineExceeded("the store is away")

    await live.rate(range(10))
    with monkeypatch.context() as patched, pytest.raises(DeadlineExceeded):
        patched.setattr(replaying, "_side", failing)
        await live.replay()
    await live.rate(range(10, 20))
    assert (await live.replay()).differences == ()


async def test_without_a_projector_the_wait_ends_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setattr(replaying, "PARKED_WITHIN_S", 0.2)
    log = MemoryEventLog(MemoryBroker(partitions=4), producer="cli")
    with pytest.raises(DeadlineExceeded, match="projector"):
        await replay_into(log, MemoryStore(), MemoryStore(), models=ModelStore(tmp_path))


async def test_the_index_that_answers_is_held_to_the_rebuilt_one(live: Live) -> None:
    await live.rate(range(20))
    rebuilt = (await live.replay()).fresh.index
    reporter = ReadinessReporter(live.log("retrieval"), MeshClock(), "retrieval", "retrieval-0")
    async with reporter:
        reporter.progress("mirror", await live.log().ends([ITEM_ROWS]))
        same = await live.replay(serving_epoch=lambda: asyncio.sleep(0, rebuilt))
        other = await live.replay(serving_epoch=lambda: asyncio.sleep(0, "0" * 32))
    assert (same.serving_index, same.differences) == (rebuilt, ())
    assert other.differences == ("serving index",)


def test_offsets_are_filled_up_with_the_ends_and_held_to_them() -> None:
    ends = {("organic", 0): 5, ("organic", 1): 7}
    assert checked_offsets({("organic", 1): 3}, ends) == {("organic", 0): 5, ("organic", 1): 3}
    for bad in ({("organic", 1): 8}, {("decisions", 0): 1}):
        with pytest.raises(InvalidRequest):
            checked_offsets(bad, ends)


def _write(key: str, group: str, state: bytes) -> Write:
    return Write(rows={key: {group: state}})
