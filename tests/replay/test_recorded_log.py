"""The recorded log, folded in every way in which a log may reach a fold, always ends in the same rows."""

import random

import pytest

from loopwright.eventlog import MemoryBroker, MemoryEventLog, topic_named
from loopwright.projector.replay import Folded, ReplayFold
from loopwright.projector.store import MemoryStore
from tests.replay.synthetic import PARTITIONS, partition_of, read

GOLDEN = (
    "cfe33ef68691dd061b844dd444e0311a9cb07dcd2fc87949c90980d6cf830765",
    "df2fb2964485794dedd9dc206f8f20a7a1e1af093a2285de9f29bdfe64d1fc6f",
)

Appends = list[tuple[str, bytes, bytes]]


def broker_of(appends: Appends) -> MemoryBroker:
    broker = MemoryBroker(PARTITIONS, wall_ms=lambda: 0)
    for topic, key, value in appends:
        broker.inject(topic_named(topic), key, value)
    return broker


async def folded(appends: Appends, batch: int = 1000) -> Folded:
    return await ReplayFold(MemoryEventLog(broker_of(appends), producer="projector"), MemoryStore()).run(batch=batch)


@pytest.fixture(scope="module")
def recorded() -> Appends:
    return read()


async def test_the_recorded_log_still_folds_to_the_hashes_it_was_recorded_with(recorded: Appends) -> None:
    found = await folded(recorded)
    assert found.records == len(recorded) == 5000
    assert (found.hashes.users, found.hashes.items) == GOLDEN


async def test_batches_of_one_end_in_the_same_rows(recorded: Appends) -> None:
    found = await folded(recorded, batch=1)
    assert (found.hashes.users, found.hashes.items) == GOLDEN


async def test_records_appended_again_at_later_offsets_change_nothing(recorded: Appends) -> None:
    rng = random.Random(5)
    twice = list(recorded)
    for place in sorted(rng.sample(range(len(recorded)), len(recorded) // 20), reverse=True):
        twice.insert(rng.randrange(place + 1, len(twice) + 1), recorded[place])
    found = await folded(twice)
    assert found.duplicates > 50  # those that came again within a day; the others are late
    assert found.late > 50
    assert (found.hashes.users, found.hashes.items) == GOLDEN


async def test_any_interleaving_of_the_partitions_ends_in_the_same_rows(recorded: Appends) -> None:
    rng = random.Random(6)
    places: dict[tuple[str, int], Appends] = {}
    for append in recorded:
        places.setdefault((append[0], partition_of(append[1])), []).append(append)
    mixed: Appends = []
    queues = [list(reversed(queue)) for queue in places.values()]
    while queues:
        queue = rng.choice(queues)
        mixed += [queue.pop() for _ in range(min(len(queue), 50))]
        queues = [left for left in queues if left]
    found = await folded(mixed, batch=37)
    assert (found.hashes.users, found.hashes.items) == GOLDEN


async def test_one_changed_rating_changes_the_hashes(recorded: Appends) -> None:
    changed = list(recorded)
    place = next(n for n, append in enumerate(changed) if append[0] == "organic")
    del changed[place]
    found = await folded(changed)
    assert found.hashes.users != GOLDEN[0]
    assert found.hashes.items != GOLDEN[1]
