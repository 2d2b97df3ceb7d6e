"""Bad records among good ones cost the good ones nothing and end in the dead letters, once."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from random import Random

import pytest
from redis.asyncio import Redis

from loopwright.api.events.v1.feedback_pb2 import OrganicInteraction
from loopwright.domain.enums import ActionKind
from loopwright.domain.ids import event_id, item_id, subject_of
from loopwright.eventlog import DEAD_LETTERS, ORGANIC, Event, KafkaEventLog, Topic, make_event, replay, wall_now_ms
from loopwright.eventlog.types import Encoded
from loopwright.featurespec.users import history_of, read_user
from loopwright.lifecycle import FixedClock
from loopwright.rpc import Deadline
from loopwright.store import keys
from tests.bad_events import Bad, corrupt_values, poison_events
from tests.faults.history import now_ms
from tests.faults.scenario import differing_rows, drained
from tests.faults.table import TABLE
from tests.faults.world import ITEMS, World

pytestmark = [
    pytest.mark.faults,
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.timeout(200),
    pytest.mark.asyncio(loop_scope="package"),
]

GOOD, POISON, CORRUPT, EACH = 10_000, 1_000, 1_000, 5
CHUNK = 250
SENTINEL_EVERY_S, LOOK_EVERY_S = 0.25, 0.02
MORE_DELAY_MS = 1_000.0


def user(name: str) -> bytes:
    return subject_of(name, anonymous=False, key=b"poison")


def good_event(name: str, number: int) -> tuple[bytes, Event]:
    """Return an interaction of a user, every one with another item."""
    subject, item, now = user(name), item_id(f"i{number % ITEMS}"), wall_now_ms()
    identity = event_id("organic", subject, item, int(ActionKind.CLICK), str(number))
    said = OrganicInteraction(subject=subject, item_id=item, kind=1, value=1.0)
    return subject, make_event(
        identity, now, FixedClock(now), "ingest", client_event_id=str(number), organic_interaction=said
    )


class Sentinels:
    """Users of their own whose events are timed from acknowledgement to the row that counts them."""

    def __init__(self, log: KafkaEventLog, store: Redis) -> None:
        self._log, self._store = log, store
        self._number = 0
        self.delays_ms: list[float] = []

    async def _timed(self, name: str, number: int) -> None:
        subject, event = good_event(name, number)
        await self._log.append(ORGANIC, subject, event, deadline=Deadline.after(10))
        begun = now_ms()
        while not await self._store.exists(keys.user_row(subject)):
            await asyncio.sleep(LOOK_EVERY_S)
        self.delays_ms.append(now_ms() - begun)

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[list[float]]:
        """Send while the block runs; the delays are whole when it is left."""
        self.delays_ms, stop = [], asyncio.Event()

        async def send() -> None:
            async with asyncio.TaskGroup() as group:
                while not stop.is_set():
                    self._number += 1
                    group.create_task(self._timed(f"sentinel-{self._number}", self._number))
                    await asyncio.sleep(SENTINEL_EVERY_S)

        sending = asyncio.create_task(send())
        try:
            yield self.delays_ms
        finally:
            stop.set()
            await sending


class Publisher:
    """Appends past every check, each topic as its own writer, and remembers where the bad ones went."""

    def __init__(self, logs: dict[str, KafkaEventLog]) -> None:
        self._logs = logs
        self.bad_places: set[tuple[str, int, int]] = set()

    async def good(self, numbers: Sequence[int]) -> None:
        entries = [good_event(f"good-{number // EACH}", number) for number in numbers]
        await self._logs["ingest"].append_many(ORGANIC, entries, deadline=Deadline.after(30))

    async def bad(self, records: Sequence[Bad]) -> None:
        by_topic: dict[Topic, list[Bad]] = defaultdict(list)
        for record in records:
            by_topic[record.topic].append(record)
        for topic, found in by_topic.items():
            (writer,) = topic.writers
            entries = [Encoded(bad.key, bad.value) for bad in found]
            places = await self._logs[writer].append_encoded(topic, entries, deadline=Deadline.after(30))
            self.bad_places |= {(topic.name, place.partition, place.offset) for place in places}


async def test_bad_records_end_in_the_dead_letters_once_and_delay_nobody(world: World) -> None:
    now = wall_now_ms()
    bad = [*poison_events(POISON, now_ms=now), *corrupt_values(CORRUPT, now_ms=now)]
    Random(6).shuffle(bad)
    bootstrap, half = world.addresses["kafka"], GOOD // 2
    async with (
        KafkaEventLog.open(bootstrap, producer="ingest") as ingest,
        KafkaEventLog.open(bootstrap, producer="exposure") as exposure,
        Redis.from_url(world.addresses["redis"]) as store,
    ):
        publisher, sentinels = Publisher({"ingest": ingest, "exposure": exposure}), Sentinels(ingest, store)
        async with sentinels.watching() as plain_ms:
            for first in range(0, half, CHUNK):
                await publisher.good(range(first, first + CHUNK))
                await asyncio.sleep(CHUNK / 1000)
        async with sentinels.watching() as mixed_ms:
            share = len(bad) * CHUNK // half
            for turn, first in enumerate(range(half, GOOD, CHUNK)):
                await publisher.bad(bad[turn * share : (turn + 1) * share])
                await publisher.good(range(first, first + CHUNK))
                await asyncio.sleep(CHUNK / 1000)
        await drained(world)
        counted = [await _items(store, user(f"good-{n}")) for n in range(GOOD // EACH)]
        set_aside: Counter[tuple[str, int, int]] = Counter()
        whole = True
        async for records in replay(ingest, [DEAD_LETTERS]):
            for record in records:
                letter = record.event.event_set_aside
                set_aside[letter.topic, letter.partition, letter.offset] += 1
                whole &= bool(letter.reason)
    finding = (
        f"poison: {len(bad)} bad among {GOOD} good; rows of other users after at most {max(plain_ms):.0f} ms without "
        f"and {max(mixed_ms):.0f} ms with the bad ones"
    )
    print(f"\n{finding}")
    TABLE.findings.append(finding)
    assert len(publisher.bad_places) == POISON + CORRUPT
    assert set(set_aside) == publisher.bad_places
    assert set(set_aside.values()) == {1}
    assert whole
    assert counted == [EACH] * (GOOD // EACH)
    assert max(mixed_ms) <= max(plain_ms) + MORE_DELAY_MS
    assert {name: n for name in world.mesh.names if (n := world.mesh.unasked_ends(name))} == {}
    assert await differing_rows(world) == []


async def _items(store: Redis, subject: bytes) -> int:
    row = await store.hgetall(keys.user_row(subject))
    state = read_user(row.get(b"user_history.v1"), row.get(b"user_activity.v1"))
    return len(history_of(state, wall_now_ms()).item_ids)
