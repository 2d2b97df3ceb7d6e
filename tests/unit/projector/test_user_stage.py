import pytest
from tests.unit.projector.logs import fold_all, log_of, outlet_of, read_all, some

from loopwright.eventlog import DEAD_LETTERS, ITEM_FACTS, LATE, ORGANIC, Event, MemoryEventLog
from loopwright.faults import FeatureStoreDown
from loopwright.featurespec.facts import FactBatch
from loopwright.featurespec.folds.facts import facts_of
from loopwright.projector.convert import facts_from_event
from loopwright.projector.store import MemoryStore, Write, hashes
from loopwright.projector.swap import Swap
from loopwright.projector.user_stage import TOPICS, UserStage


def stage_over(log: MemoryEventLog, store: MemoryStore) -> UserStage:
    return UserStage(store, outlet_of(log), range(4))


class DyingStore(MemoryStore):
    """Dies between effect and acknowledgement: some partitions of a batch are written, then the connection is gone."""

    def __init__(self) -> None:
        super().__init__()
        self.commits_left = 3

    async def commit(self, writes: list[Write], swap: Swap | None = None) -> None:  # type: ignore[override]
        self.commits_left -= 1
        if self.commits_left == 0:
            await super().commit(writes[: len(writes) // 2])
            raise FeatureStoreDown("killed")
        await super().commit(writes, swap)


async def expected_hash(appended: list) -> str:  # type: ignore[type-arg]
    log, store = log_of(appended), MemoryStore()
    await fold_all(log, stage_over(log, store))
    return (await hashes(store)).users


async def test_a_kill_between_effect_and_acknowledgement_repeats_nothing() -> None:
    appended = some(600)
    log, store = log_of(appended), DyingStore()
    with pytest.raises(FeatureStoreDown):
        await fold_all(log, stage_over(log, store), batch=150)
    await fold_all(log, stage_over(log, store), batch=70)  # a new process
    assert (await hashes(store)).users == await expected_hash(appended)


async def test_a_stage_that_is_begun_anew_reads_only_what_is_left() -> None:
    log, store = log_of(some(300)), MemoryStore()
    await fold_all(log, stage_over(log, store))
    stage = stage_over(log, store)
    left = await read_all(log, TOPICS, await stage.load())
    before = await hashes(store)
    await stage.apply(left)
    assert await hashes(store) == before
    await stage.sweep(await log.ends(TOPICS))
    assert await read_all(log, TOPICS, await stage.load()) == []


async def test_every_fact_is_derived_once_with_its_place_in_order() -> None:
    appended = some(500)
    log, store = log_of(appended), MemoryStore()
    await fold_all(log, stage_over(log, store))
    found = FactBatch.joined([facts_from_event(r.event).facts for r in await read_all(log, (ITEM_FACTS,), {})])
    expected = [fact for _, _, event in appended for fact in facts_of(event)]
    assert sorted(zip(found.item_ids.tolist(), found.kinds.tolist(), found.times_ms.tolist(), strict=True)) == sorted(
        (fact.item_id, fact.kind, fact.time_ms) for fact in expected
    )
    for record in await read_all(log, (ITEM_FACTS,), {}):
        sourced = facts_from_event(record.event)
        assert sourced.item_partition == record.logical
        places: dict[int, list[tuple[int, int]]] = {}
        for lp, offset, index in zip(sourced.partitions, sourced.offsets, sourced.indices, strict=True):
            places.setdefault(int(lp), []).append((int(offset), int(index)))
        assert all(found == sorted(set(found)) for found in places.values())


async def test_repeated_events_count_once_and_late_ones_are_set_aside() -> None:
    appended = [entry for entry in some(2600) if entry[0] is ORGANIC]
    first, last = appended[0], appended[-1]
    same = [entry for entry in appended if entry[1] == last[1]]
    log, store = log_of([*appended, last]), MemoryStore()
    stage = stage_over(log, store)
    await fold_all(log, stage)
    assert stage.counts.duplicates == 1
    assert (await hashes(store)).users == await expected_hash(appended)
    early = next(entry for entry in appended if entry[1] == same[0][1])
    late = Event.FromString(early[2].SerializeToString())
    log = log_of([(ORGANIC, last[1], late)], log.broker)
    await fold_all(log, stage_over(log, store))
    [aside] = await read_all(log, (LATE,), {})
    assert aside.event.event_set_aside.reason == "LATE"
    assert aside.event.event_set_aside.value == late.SerializeToString()
    assert (await hashes(store)).users == await expected_hash(appended)
    assert first is not last


async def test_an_event_that_no_fold_can_use_is_set_aside_and_the_others_go_on() -> None:
    appended = some(100)
    poison = Event.FromString(next(e for t, _, e in appended if t is ORGANIC).SerializeToString())
    poison.organic_interaction.kind = 0  # type: ignore[assignment]
    log, store = log_of([*appended[:60], (ORGANIC, appended[-1][1], poison), *appended[60:]]), MemoryStore()
    await fold_all(log, stage_over(log, store))
    [aside] = await read_all(log, (DEAD_LETTERS,), {})
    assert aside.event.event_set_aside.reason == "INVALID: unknown kind of action"
    assert (await hashes(store)).users == await expected_hash(appended)


async def test_few_cached_users_give_the_same_rows() -> None:
    appended = some(400)
    log, store = log_of(appended), MemoryStore()
    await fold_all(log, UserStage(store, outlet_of(log), range(4), cached_users=2), batch=10)
    assert (await hashes(store)).users == await expected_hash(appended)


async def test_two_stages_that_share_the_partitions_give_the_rows_of_one() -> None:
    appended = some(400)
    log, store = log_of(appended), MemoryStore()
    for ours in ((0, 2), (1, 3)):
        stage = UserStage(store, outlet_of(log), ours)
        start = await stage.load()
        assert {partition for _, partition in start} == set(ours)
        records = [r for r in await read_all(log, TOPICS, start) if r.partition in ours]
        await stage.apply(records)
    assert (await hashes(store)).users == await expected_hash(appended)
