from loopwright.eventlog import ORGANIC, PROFILES, Event, Record
from loopwright.projector.marks import Marks
from loopwright.projector.store import MemoryStore, Write


def record(logical: int, offset: int) -> Record:
    return Record(ORGANIC.name, logical % 4, offset, logical, b"", Event(), b"", "", 0)


async def loaded(store: MemoryStore) -> Marks:
    marks = Marks((ORGANIC, PROFILES), 4, range(4))
    await marks.load(store)
    return marks


async def test_a_restart_reads_from_the_lowest_mark_of_a_physical_partition() -> None:
    store = MemoryStore()
    marks = await loaded(store)
    assert marks.fresh
    writes: dict[int, Write] = {}
    marks.note([record(lp, 10 + lp) for lp in range(64)], writes)
    await store.commit(list(writes.values()))
    again = await loaded(store)
    assert not again.fresh
    assert again.start()[ORGANIC.name, 1] == 12  # logical partition 1 at offset 11 is the lowest of 1, 5, 9, ...
    assert not again.is_new(record(1, 11))
    assert again.is_new(record(1, 12))
    assert not again.is_new(record(5, 15))
    assert again.start()[PROFILES.name, 1] == 0


async def test_a_sweep_moves_partitions_without_records_and_never_back() -> None:
    store = MemoryStore()
    marks = await loaded(store)
    writes: dict[int, Write] = {}
    marks.note([record(3, 99)], writes)
    marks.sweep({(ORGANIC.name, partition): 50 for partition in range(4)}, writes)
    await store.commit(list(writes.values()))
    again = await loaded(store)
    assert again.start()[ORGANIC.name, 0] == 50
    assert not again.is_new(record(3, 99))
