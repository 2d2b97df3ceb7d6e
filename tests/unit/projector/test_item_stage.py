import random

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.projector.logs import fold_all, log_of, outlet_of, read_all, some

from loopwright.eventlog import DEAD_LETTERS, ITEM_FACTS, ITEM_ROWS, MemoryEventLog, Record
from loopwright.projector.item_stage import ItemStage
from loopwright.projector.store import ITEM_PREFIX, MemoryStore, hashes
from loopwright.projector.user_stage import UserStage


async def derived(count: int = 500, batch: int = 60) -> MemoryEventLog:
    log = log_of(some(count))
    await fold_all(log, UserStage(MemoryStore(), outlet_of(log), range(4)), batch)
    return log


async def folded(log: MemoryEventLog, batch: int = 100) -> str:
    store = MemoryStore()
    await fold_all(log, ItemStage(store, outlet_of(log), range(4)), batch)
    return (await hashes(store)).items


async def test_batches_of_any_size_end_in_the_same_rows() -> None:
    log = await derived()
    assert await folded(log, 1) == await folded(log, 1000)


async def test_facts_derived_again_after_a_restart_of_stage_1_are_dropped() -> None:
    log = await derived(batch=60)
    expected = await folded(log)
    # Stage 1 lost its marks and derives everything again, in other batches.
    await fold_all(log, UserStage(MemoryStore(), outlet_of(log), range(4)), 45)
    store = MemoryStore()
    stage = ItemStage(store, outlet_of(log), range(4))
    await fold_all(log, stage)
    assert stage.counts.repeated_facts > 100
    assert (await hashes(store)).items == expected


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000))
async def test_facts_repeated_from_any_earlier_place_are_dropped(seed: int) -> None:
    log = await derived(200, 20)
    records = await read_all(log, (ITEM_FACTS,), {})
    rng = random.Random(seed)
    by_partition: dict[int, list[Record]] = {}
    for record in records:
        by_partition.setdefault(record.logical, []).append(record)
    store = MemoryStore()
    stage = ItemStage(store, outlet_of(log), range(4))
    await stage.load()
    offset = 0
    for queue in by_partition.values():
        again = rng.randrange(len(queue) + 1)
        for record in [*queue, *queue[again:]]:  # a restart repeats the end of what was derived, in order
            await stage.apply([record._replace(offset=offset)])
            offset += 1
    clean = MemoryStore()
    other = ItemStage(clean, outlet_of(log), range(4))
    await other.load()
    await other.apply(records)
    assert (await hashes(store)).items == (await hashes(clean)).items


async def test_the_log_of_rows_holds_what_the_store_holds() -> None:
    log, store = await derived(), MemoryStore()
    await fold_all(log, ItemStage(store, outlet_of(log), range(4)), 50)
    newest: dict[tuple[int, str], bytes] = {}
    for record in await read_all(log, (ITEM_ROWS,), {}):
        row = record.event.item_row_folded
        newest[row.item_id, row.group_version] = row.state
    stored = {
        (int(key.rsplit(":", 1)[1]), group): state
        async for key, fields in store.scan(ITEM_PREFIX)
        for group, state in fields.items()
    }
    assert newest == stored


async def test_facts_whose_columns_do_not_fit_are_set_aside() -> None:
    log, store = await derived(100), MemoryStore()
    stage = ItemStage(store, outlet_of(log), range(4))
    await stage.load()
    [record, *_] = await read_all(log, (ITEM_FACTS,), {})
    broken = type(record.event).FromString(record.value)
    broken.item_facts_derived.values.data = b""
    await stage.apply([record._replace(event=broken)])
    [aside] = await read_all(log, (DEAD_LETTERS,), {})
    assert aside.event.event_set_aside.reason.startswith("POISON")
