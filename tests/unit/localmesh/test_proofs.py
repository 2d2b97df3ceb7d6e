from dataclasses import replace
from pathlib import Path

import pytest
from tests.recorded_decisions import (
    NOW_MS,
    RecordedLog,
    events_of,
    ranked_bundle,
    recorded,
    recorded_fallback,
    soon,
    synthetic_order,
)

from loopwright.domain.enums import Purpose
from loopwright.eventlog import DECISIONS, FUNNELS
from loopwright.faults import CorruptRecord
from loopwright.localmesh.proofs import recorded_decision, verify_many


@pytest.fixture
def made(tmp_path: Path) -> RecordedLog:
    return RecordedLog.new(tmp_path)


async def test_random_decisions_hold_across_a_model_switch_and_a_bundle_change(made: RecordedLog) -> None:
    first = ranked_bundle(made.store, seed=3)
    switched = ranked_bundle(made.store, seed=8)
    moved = ranked_bundle(made.store, seed=8, exploration__explore_position=7)
    for start, bundle in ((0, first), (10, switched), (20, moved)):
        await made.activate(bundle, NOW_MS + start - 1)
        for number in range(start, start + 8):
            await made.decide(bundle, number)
    told: list[int] = []
    proven = await verify_many(made.log(), made.store, 200, seed=1, told=told.append)
    assert (proven.eligible, proven.holding, dict(proven.broken)) == (24, 24, {})
    assert len(proven.policies) == 3 and len(proven.rankers) == 2
    assert told == list(range(1, 25))
    late = await verify_many(made.log(), made.store, 200, seed=1, since_ms=NOW_MS + 10)
    assert (late.eligible, late.holding, len(late.policies)) == (16, 16, 2)


async def test_the_seed_decides_which_decisions_are_drawn(made: RecordedLog) -> None:
    bundle = ranked_bundle(made.store)
    await made.activate(bundle, NOW_MS - 1)
    for number in range(12):
        await made.decide(bundle, number)
    draws = [await verify_many(made.log(), made.store, 5, seed=seed) for seed in (1, 1, 2)]
    ids = [[proof.decision_id for proof in draw.proofs] for draw in draws]
    assert ids[0] == ids[1] != ids[2]
    assert len(set(ids[0])) == 5


async def test_decisions_whose_funnels_retention_has_taken_are_not_drawn(made: RecordedLog) -> None:
    bundle = ranked_bundle(made.store)
    await made.activate(bundle, NOW_MS - 1)
    for number in range(12):
        await made.decide(bundle, number)
    log = made.log()
    ends = {place: end for place, end in (await log.ends([FUNNELS])).items() if end}
    place, end = next(iter(ends.items()))
    log.broker.delete_before({place: end})
    proven = await verify_many(log, made.store, 200, seed=1)
    assert 0 < proven.eligible < 12
    assert proven.holding == proven.eligible


async def test_lists_to_judge_and_slates_without_a_funnel_are_not_drawn(made: RecordedLog) -> None:
    bundle = ranked_bundle(made.store)
    await made.activate(bundle, NOW_MS - 1)
    await made.decide(bundle, 1, purpose=Purpose.EVALUATE)
    record, answer = recorded(made.store, bundle, 2)
    slate, _ = events_of(replace(record, candidates=None), answer)
    await made.log("exposure").append(DECISIONS, record.request.subject, slate, deadline=soon())
    proven = await verify_many(made.log(), made.store, 10, seed=1)
    assert (proven.eligible, proven.proofs) == (0, ())


async def test_a_decision_changed_on_the_log_is_found_and_its_link_named(made: RecordedLog) -> None:
    bundle = ranked_bundle(made.store)
    await made.activate(bundle, NOW_MS - 1)
    await made.decide(bundle, 1)
    record, answer = recorded(made.store, bundle, 2)
    slate, funnel = events_of(replace(record, seed=record.seed + 1), answer)
    key = record.request.subject
    await made.log("exposure").append_many(FUNNELS, [(key, event) for event in funnel], deadline=soon())
    await made.log("exposure").append(DECISIONS, key, slate, deadline=soon())
    proven = await verify_many(made.log(), made.store, 10, seed=1)
    assert proven.holding == 1
    assert "seed" in proven.broken


async def test_a_lost_part_of_a_funnel_is_a_broken_link(made: RecordedLog) -> None:
    bundle = ranked_bundle(made.store)
    await made.activate(bundle, NOW_MS - 1)
    record, answer = recorded(made.store, bundle, 2)
    slate, funnel = events_of(record, answer)
    key = record.request.subject
    await made.log("exposure").append_many(FUNNELS, [(key, event) for event in funnel[1:]], deadline=soon())
    await made.log("exposure").append(DECISIONS, key, slate, deadline=soon())
    proven = await verify_many(made.log(), made.store, 10, seed=1)
    assert dict(proven.broken) == {"record": 1}


def test_a_record_read_back_from_its_events_is_the_record_that_was_written(made: RecordedLog) -> None:
    record, answer = recorded(made.store, ranked_bundle(made.store), 4)
    slate, funnel = events_of(record, answer)
    assert len(funnel) > 1
    parts = {event.funnel_chunk.index: event.funnel_chunk.data for event in funnel}
    back = recorded_decision(slate, parts)
    assert back.slate == record.slate and back.mutations == record.mutations
    assert back.candidates is not None and record.candidates is not None
    assert back.candidates.item_columns.tobytes() == record.candidates.item_columns.tobytes()
    with pytest.raises(CorruptRecord):
        recorded_decision(slate, {})


async def test_slates_taken_from_fallback_orders_of_the_log_hold(made: RecordedLog) -> None:
    bundle = ranked_bundle(made.store)
    await made.activate(bundle, NOW_MS - 1)
    orders = [synthetic_order(bundle, n) for n in (50, 60)]
    for number, order in enumerate(orders):
        await made.prepare(order)
        await made.put(*recorded_fallback(bundle, order, number))
    await made.put(*recorded_fallback(bundle, synthetic_order(bundle, 40), 9))
    proven = await verify_many(made.log(), made.store, 10, seed=1)
    assert (proven.holding, dict(proven.broken)) == (3, {})
    skipped = [[link.name for link in proof.links if link.skipped] for proof in proven.proofs]
    assert sorted(skipped) == [[], [], ["order"]]
