import numpy as np
import pytest
from tests.unit.featurespec.worlds import NOW_MS, world

from loopwright.domain.enums import ActionKind, Eligibility
from loopwright.domain.vectors import LIKED_FLAG
from loopwright.faults import CorruptRecord
from loopwright.featurespec.columns import item_columns
from loopwright.featurespec.facts import Counter, Fact, FactBatch
from loopwright.featurespec.groups import GROUPS, ITEM_GROUPS, Entity
from loopwright.featurespec.rings import DAY_MS
from loopwright.featurespec.table import ItemTable

ITEMS = [name for name in ITEM_GROUPS if GROUPS[name].entity is Entity.ITEM]


def test_a_table_of_encoded_rows_gives_the_columns_of_the_folded_one_bit_for_bit() -> None:
    folded, _ = world()
    rows = np.arange(len(folded))
    states = folded.encode_rows(rows)
    received = ItemTable()
    order = np.random.default_rng(1).permutation(len(folded))
    received.put_many((int(folded.ids[r]), group, s) for r in order for group, s in states[r].items())
    there = received.rows_of(folded.ids)
    left, right = (item_columns(t, r, NOW_MS, ITEMS) for t, r in ((folded, rows), (received, there)))
    assert left.columns.tobytes() == right.columns.tobytes()
    assert left.ages_s.tobytes() == right.ages_s.tobytes()
    assert left.mask.tobytes() == right.mask.tobytes()


def test_rows_that_arrive_again_and_again_leave_the_sums_of_the_catalogue_right() -> None:
    folded, _ = world()
    received = ItemTable()
    rows = np.arange(len(folded))
    states = folded.encode_rows(rows)
    for _ in range(3):
        received.put_many((int(folded.ids[r]), group, s) for r in rows for group, s in states[r].items())
    assert received.catalogue.totals.tolist() == folded.catalogue.totals.tolist()
    assert received.catalogue.items == folded.catalogue.items
    assert received.catalogue.decayed(Counter.ENGAGEMENTS, 7.0, NOW_MS) == pytest.approx(
        folded.catalogue.decayed(Counter.ENGAGEMENTS, 7.0, NOW_MS), rel=1e-12
    )
    for creator in set(folded.creator_ids.tolist()) - {0}:
        here, there = folded.creators.number(creator), received.creators.number(creator)
        assert folded.creators.totals[here].tolist() == received.creators.totals[there].tolist()
        assert folded.creators.items[here] == received.creators.items[there]


def test_unknown_ids_have_no_row_and_an_item_known_by_facts_alone_is_not_eligible() -> None:
    table = ItemTable()
    table.fold_facts(FactBatch.of([Fact(7, ActionKind.CLICK, 1.0, 5)]))
    assert table.rows_of(np.array([7, 8], dtype=np.uint64)).tolist() == [0, -1]
    assert table.eligibility.tolist() == [Eligibility.UNKNOWN_ITEM]
    assert table.external_ids(np.array([0, -1])) == ("", "")


def test_decayed_counts_halve_with_their_half_life() -> None:
    table = ItemTable()
    fact = Fact(7, ActionKind.CLICK | LIKED_FLAG, 1.0, 100 * DAY_MS)
    table.fold_facts(FactBatch.of([fact] * 8))
    early, late = (table.decayed(Counter.LIKES, 7.0, (101 + days) * DAY_MS)[0] for days in (0, 7))
    assert late == pytest.approx(early / 2)


def test_a_copy_does_not_follow() -> None:
    table, _ = world()
    twin = table.copy()
    before = twin.engagements.copy()
    table.fold_facts(FactBatch.of([Fact(int(table.ids[0]), ActionKind.CLICK, 1.0, NOW_MS)]))
    assert (twin.engagements == before).all()
    assert table.engagements[0] == before[0] + 1


def test_a_state_of_an_unknown_group_is_refused() -> None:
    with pytest.raises(CorruptRecord):
        ItemTable().put_many([(1, "item_weather.v1", b"")])


@pytest.mark.parametrize(("group", "state"), [("item_counts.v1", b"\xff"), ("item_content.v1", b"\xff")])
def test_states_that_do_not_decode_leave_no_row_of_any_item(group: str, state: bytes) -> None:
    folded, _ = world()
    states = folded.encode_rows(np.arange(2))
    table = ItemTable()
    with pytest.raises(CorruptRecord):
        table.put_many([*((int(folded.ids[r]), g, s) for r in (0, 1) for g, s in states[r].items()), (7, group, state)])
    assert len(table) == 0
