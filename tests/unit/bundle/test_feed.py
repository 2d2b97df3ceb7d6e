import asyncio
from collections.abc import AsyncIterator

import pytest
from tests.unit.bundle.conftest import PolicyFacts
from tests.unit.bundle.test_fallback import event as prepared
from tests.unit.bundle.test_fallback import order

from loopwright.bundle import BundleFeed, Published
from loopwright.eventlog import FALLBACKS, POLICIES, Event, MemoryEventLog, Position
from loopwright.faults import DeadlineExceeded
from loopwright.rpc import Deadline


@pytest.fixture
async def log() -> MemoryEventLog:
    return MemoryEventLog(producer="policy")


@pytest.fixture
async def feed(log: MemoryEventLog) -> AsyncIterator[BundleFeed]:
    async with BundleFeed(log) as started:
        yield started


async def append(log: MemoryEventLog, *events: Event) -> Position:
    for event in events:
        position = await log.append(POLICIES, b"home", event, deadline=Deadline.after(5))
    return position


async def test_a_feed_starts_with_everything_already_on_the_log(log: MemoryEventLog, facts: PolicyFacts) -> None:
    await append(log, facts.publish(facts.bundles[0]), facts.activate(facts.versions[0]))
    async with BundleFeed(log) as feed:
        assert feed.get(facts.versions[0]) == facts.bundles[0]
        active = feed.active("home")
        assert active is not None
        assert active.version == facts.versions[0]
        assert feed.surfaces() == ["home"]
        assert [entry.version for entry in feed.published()] == facts.versions[:1]
        assert [interval.version for interval in feed.intervals("home")] == facts.versions[:1]
        assert feed.caught_up_at_ms is not None


async def test_what_is_unknown_is_none(feed: BundleFeed) -> None:
    assert feed.get("f" * 64) is None
    assert feed.active("home") is None
    assert feed.published() == []


async def test_a_writer_reads_its_own_write(log: MemoryEventLog, feed: BundleFeed, facts: PolicyFacts) -> None:
    position = await append(log, facts.publish(facts.bundles[0]), facts.activate(facts.versions[0]))
    await feed.reached(position, Deadline.after(5))
    assert feed.active("home") is not None


async def test_waiting_for_a_record_that_never_comes_ends_at_the_deadline(feed: BundleFeed) -> None:
    with pytest.raises(DeadlineExceeded):
        await feed.reached(Position(0, 10**6), Deadline.after(0.05))


async def test_callbacks_hear_of_the_past_and_of_the_future(log: MemoryEventLog, facts: PolicyFacts) -> None:
    await append(log, facts.publish(facts.bundles[0]), facts.activate(facts.versions[0]))
    async with BundleFeed(log) as feed:
        published: asyncio.Queue[Published] = asyncio.Queue()
        switches: list[str] = []
        feed.on_published(published.put_nowait)
        feed.on_activated(lambda surface, active: switches.append(f"{surface} {active.version}"))
        assert published.get_nowait().version == facts.versions[0]
        position = await append(
            log,
            facts.publish(facts.bundles[1]),
            facts.publish(facts.bundles[1]),
            facts.activate(facts.versions[1], expected="f" * 64),
            facts.activate(facts.versions[1], expected=facts.versions[0]),
        )
        await feed.reached(position, Deadline.after(5))
        assert published.get_nowait().bundle == facts.bundles[1]
        assert published.empty()
        assert switches == [f"home {version}" for version in facts.versions[:2]]


async def test_the_newest_readable_fallback_order_of_a_surface_is_known(
    log: MemoryEventLog, caplog: pytest.LogCaptureFixture
) -> None:
    async def prepare(event: Event) -> Position:
        return await log.append(FALLBACKS, b"home", event, deadline=Deadline.after(5))

    await prepare(prepared(order(1, 2)))
    async with BundleFeed(log) as feed:
        known = feed.fallback("home")
        assert known is not None and known.item_ids.tolist() == [1, 2]
        assert feed.fallback("jobs") is None
        await prepare(prepared(order(2, 1)))
        broken = prepared(order(3, 4))
        broken.fallback_prepared.external_ids.pop()
        await feed.reached(await prepare(broken), Deadline.after(5), FALLBACKS)
        known = feed.fallback("home")
        assert known is not None and known.item_ids.tolist() == [2, 1]
        assert "a fallback order is void" in caplog.text
