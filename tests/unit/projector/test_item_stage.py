import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.projector.logs import fold_all, log_of, outlet_of, read_all, some

from loopwright.api.events.v1.event_pb2 import Event
from loopwright.domain.vectors import I64
from loopwright.eventlog import CATALOG, DEAD_LETTERS, ITEM_FACTS, ITEM_ROWS, MemoryEventLog, Record
from loopwright.faults import FeatureStoreDown
from loopwright.featurespec.facts import FactBatch
from loopwright.featurespec.folds.catalog import item_of
from loopwright.featurespec.item_counts import ItemCounts
from loopwright.featurespec.table import ItemTable
from loopwright.projector import item_stage
from loopwright.projector.item_stage import ItemStage
from loopwright.projector.store import ITEM_PREFIX, MemoryStore, Write, hashes
from loopwright.projector.swap import Swap
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


def fragile_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    fold = item_stage.fold_catalog

    def fold_or_raise(table: ItemTable, event: Event) -> int | None:
        row = fold(table, event)
        if event.client_event_id == "poison":
            assert row is not None
            table.set_content(row, replace(table.content_of(row), first_upsert_ms=1))  # half changed
            raise OverflowError("a text with data")
        return row

    monkeypatch.setattr(item_stage, "fold_catalog", fold_or_raise)


async def test_a_catalogue_event_whose_fold_raises_is_set_aside_and_its_item_keeps_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log = await derived(300)
    expected = await folded(log)
    fragile_catalogue(monkeypatch)
    catalogue = await read_all(log, (CATALOG,), {})
    for number, record in enumerate(catalogue[::3]):
        bad = Event.FromString(record.value)
        bad.event_id, bad.client_event_id = number.to_bytes(16, "big"), "poison"
        log.broker.inject(CATALOG, record.key, bad.SerializeToString())
    for batch in (7, 1000):
        store = MemoryStore()
        await fold_all(log, ItemStage(store, outlet_of(log), range(4)), batch)
        assert (await hashes(store)).items == expected
    asides = await read_all(log, (DEAD_LETTERS,), {})
    assert {aside.event.event_set_aside.reason for aside in asides} == {"POISON: the fold raised OverflowError"}
    assert len({aside.event.event_id for aside in asides}) == len(catalogue[::3])


async def test_a_record_of_facts_whose_fold_raises_is_set_aside_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    log = await derived(300, 20)
    records = await read_all(log, (ITEM_FACTS,), {})
    good, bad = [record for place, record in enumerate(records) if place % 5], records[::5]
    clean, store = MemoryStore(), MemoryStore()
    undisturbed = ItemStage(clean, outlet_of(log), range(4))
    await undisturbed.load()
    await undisturbed.apply(good)
    spoilt = {(record.partition, record.offset) for record in bad}
    marked = []
    for record in records:
        event = Event.FromString(record.value)
        if (record.partition, record.offset) in spoilt:
            times = event.item_facts_derived.occurred_at_ms
            times.data = (10**15).to_bytes(8, "little") * times.shape[0]
        marked.append(record._replace(event=event))
    add = ItemCounts.add

    def add_or_raise(self: ItemCounts, rows: I64, facts: FactBatch) -> None:
        add(self, rows, facts)
        if (facts.times_ms == 10**15).any():
            raise IndexError("half folded")

    monkeypatch.setattr(ItemCounts, "add", add_or_raise)
    stage = ItemStage(store, outlet_of(log), range(4))
    await stage.load()
    await stage.apply(marked)
    assert (await hashes(store)).items == (await hashes(clean)).items
    assert len(await read_all(log, (DEAD_LETTERS,), {})) == len(bad)


async def test_a_catalogue_event_that_no_fold_can_use_is_set_aside_as_invalid() -> None:
    log, store = await derived(100), MemoryStore()
    expected = await folded(log)
    [record, *_] = [r for r in await read_all(log, (CATALOG,), {}) if r.event.HasField("item_upserted")]
    bad = Event.FromString(record.value)
    bad.item_upserted.published_at.seconds = 2**60
    nameless = Event.FromString(record.value)
    nameless.item_upserted.item_id = 0
    assert item_of(nameless) == 0
    for event in (bad, nameless):
        log.broker.inject(CATALOG, record.key, event.SerializeToString())
    await fold_all(log, ItemStage(store, outlet_of(log), range(4)))
    reasons = sorted(r.event.event_set_aside.reason for r in await read_all(log, (DEAD_LETTERS,), {}))
    assert reasons == ["INVALID: names no item", "INVALID: published_at is no time"]
    assert (await hashes(store)).items == expected


class DyingStore(MemoryStore):
    """Dies between effect and acknowledgement of its third commit: the rows are on the log, nothing is in the store."""

    commits = 0

    async def commit(self, writes: list[Write], swap: Swap | None = None) -> None:  # type: ignore[override]
        self.commits += 1
        if self.commits == 3:
            raise FeatureStoreDown("killed")
        await super().commit(writes, swap)


async def test_a_kill_between_effect_and_acknowledgement_repeats_nothing() -> None:
    log, store = await derived(400), DyingStore()
    expected = await folded(log)
    with pytest.raises(FeatureStoreDown):
        await fold_all(log, ItemStage(store, outlet_of(log), range(4)), 60)
    await fold_all(log, ItemStage(store, outlet_of(log), range(4)), 45)  # a new process
    assert (await hashes(store)).items == expected
