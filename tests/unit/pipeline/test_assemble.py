"""Record and answer say the same, and say all."""

import numpy as np
from tests.unit.pipeline.test_runner import pipeline, plan, soon

from loopwright.domain.enums import DropReason, Exploration, Purpose, Scheme
from loopwright.domain.ids import item_id
from loopwright.pipeline.assemble import Identity, assemble
from loopwright.pipeline.fakes import FakeWorld
from loopwright.pipeline.record import input_digests


async def finished(**changes: object):  # type: ignore[no-untyped-def]
    line, timings, asked = pipeline(FakeWorld(seen=(item_id("i3"),))), {}, plan(**changes)
    run = await line.execute(asked, await line.user(asked, soon(), timings), soon(), timings)
    return run, *assemble(run, Identity(b"d" * 16, 5))


async def test_the_answer_is_the_record_under_external_names() -> None:
    _, record, answer = await finished(page_start=20)
    assert [item_id(i.external_id) for i in answer.items] == [p.item_id for p in record.slate]
    assert [i.position for i in answer.items] == list(range(21, 31)) == [p.position for p in record.slate]
    assert [(i.p_shown, i.p_position, i.scheme) for i in answer.items] == [
        (p.p_shown, p.p_position, p.scheme) for p in record.slate
    ]
    assert answer.versions == record.versions


async def test_every_candidate_is_either_shown_or_has_a_reason() -> None:
    _, record, _ = await finished(purpose=Purpose.EVALUATE, record_funnel=True)
    table = record.candidates
    assert table is not None
    shown = {p.item_id for p in record.slate}
    for item, reason in zip(table.item_ids, table.drop_reasons, strict=True):
        assert (int(item) in shown) == (reason == DropReason.KEPT)
    seen_row = int(np.flatnonzero(table.item_ids == item_id("i3"))[0])
    assert table.drop_reasons[seen_row] == DropReason.SEEN


async def test_judging_draws_nothing() -> None:
    _, record, _ = await finished(purpose=Purpose.EVALUATE, exploration=Exploration.BUNDLE)
    assert {p.scheme for p in record.slate} == {Scheme.NONE}
    assert all(p.p_shown == p.p_position == 1.0 and not p.support for p in record.slate)
    assert record.candidates is None


async def test_slate_rows_are_the_funnels_rows() -> None:
    _, record, _ = await finished(record_funnel=True)
    assert record.candidates is not None
    assert record.slate_candidates.item_ids.tolist() == [p.item_id for p in record.slate]
    rows = [int(np.flatnonzero(record.candidates.item_ids == p.item_id)[0]) for p in record.slate]
    assert np.array_equal(record.candidates.item_columns[rows], record.slate_candidates.item_columns)


async def test_the_record_is_sealed_by_digests_of_its_inputs() -> None:
    _, record, _ = await finished(record_funnel=True)
    assert record.input_digests == input_digests(record)
