from dataclasses import replace

import numpy as np

from loopwright.cli.clients import Explained
from loopwright.cli.explaining.reading import (
    credits_of,
    cut_count,
    drops_of,
    item_features,
    names_of,
    scores_of,
    table_of,
    user_features,
)
from loopwright.domain.enums import DropReason


def test_candidates_are_named_in_the_order_of_the_widest_table(explained: Explained) -> None:
    ids = table_of(explained.record).item_ids
    assert names_of(explained)[int(ids[7])] == "item-7"
    assert int(ids[7]) not in names_of(replace(explained, item_ids=("a", "b")))
    slate_only = replace(explained.record, candidates=None)
    assert len(table_of(slate_only)) == len(explained.record.slate)


def test_every_crediting_source_keeps_its_rank_and_score(explained: Explained) -> None:
    table = table_of(explained.record)
    for row in (0, 9, 30):
        found = credits_of(explained.record, table, row)
        assert [c.rank for c in found] == [rank for rank in table.source_ranks[row].tolist() if rank]
        assert found[0].source == explained.record.sources[0].source.name.lower()
        assert [c.score for c in found] == table.source_scores[row][table.source_ranks[row] > 0].tolist()


def test_drops_are_counted_by_reason_and_add_up_to_the_candidates(explained: Explained) -> None:
    drops = drops_of(table_of(explained.record))
    assert sum(drops.values()) == 60
    assert drops["KEPT"] == len(explained.record.slate) and drops["CUT"] == 20
    assert list(drops) == [reason.name for reason in DropReason if reason.name in drops]
    assert cut_count(explained.record) == 40
    assert cut_count(replace(explained.record, candidates=None)) is None


def test_features_are_named_by_group_and_column_and_lose_none(explained: Explained) -> None:
    record, table = explained.record, table_of(explained.record)
    for values, groups, columns in (
        (user_features(record), record.user_groups, record.user_columns),
        (item_features(record, table, 4), record.item_groups, table.item_columns[4]),
    ):
        assert tuple(v.group for v in values) == groups
        flat = [value for v in values for value in v.columns.values()]
        np.testing.assert_array_equal(np.array(flat, np.float16), columns)
        assert all(name.startswith(f"{v.group}:") for v in values for name in v.columns)
    found = item_features(record, table, 4)
    assert [v.mask == "ABSENT" for v in found] == [bool(m) for m in table.group_mask[4]]
    assert [v.age_s for v in found] == table.group_ages_s[4].tolist()


def test_an_absent_group_has_no_age(explained: Explained) -> None:
    ages = np.full_like(explained.record.user_group_ages_s, 0xFFFFFFFF)
    assert {v.age_s for v in user_features(replace(explained.record, user_group_ages_s=ages))} == {None}


def test_scores_are_named(explained: Explained) -> None:
    table = explained.record.slate_candidates
    found = scores_of(explained.record, table, 0)
    assert list(found) == ["fused", "pre_rank", "engage", "satisfied"]
    assert found["engage"] == float(table.heads[0, 0])
