from dataclasses import replace

import numpy as np
import pytest

from loopwright.cli.clients import Explained
from loopwright.cli.demo.tally import Tally, quantiles
from loopwright.domain.enums import DegradationReason, Mask, Stage
from loopwright.pipeline.record import DecisionRecord
from loopwright.pipeline.types import Degradation


@pytest.fixture
def record(explained: Explained) -> DecisionRecord:
    return explained.record


def test_shares_are_those_of_the_decisions_added(record: DecisionRecord) -> None:
    late = Degradation(Stage.HYDRATE_USER, DegradationReason.TIMEOUT, "user")
    stale = [Degradation(Stage.HYDRATE_ITEMS, DegradationReason.STALE_FEATURES, g) for g in ("a.v1", "b.v1")]
    tally = Tally()
    for one in (record, replace(record, degradations=(late,)), replace(record, degradations=(late, *stale)), record):
        tally.add(one)
    found = tally.document()
    assert (found["count"], found["undegraded_share"]) == (4, 0.5)
    assert found["degradations"] == {"HYDRATE_USER TIMEOUT": 2, "HYDRATE_ITEMS STALE_FEATURES": 1}


def test_cells_are_counted_over_the_slates_rows_and_a_users_group_once_a_decision(record: DecisionRecord) -> None:
    mask = np.full_like(record.slate_candidates.group_mask, Mask.ABSENT)
    mask[:5] = Mask.PRESENT
    user = np.full_like(record.user_group_mask, Mask.NOT_ANSWERED)
    user[0] = Mask.PRESENT
    tally = Tally()
    tally.add(replace(record, user_group_mask=user, slate_candidates=replace(record.slate_candidates, group_mask=mask)))
    shares = tally.document()["non_default_share"]
    assert [shares[name] for name in record.item_groups] == [5 / len(record.slate)] * len(record.item_groups)
    assert [shares[name] for name in record.user_groups] == [1.0] + [0.0] * (len(record.user_groups) - 1)


def test_every_source_that_proposed_a_shown_item_is_credited(record: DecisionRecord) -> None:
    ranks = np.zeros_like(record.slate_candidates.source_ranks)
    ranks[:, 0], ranks[:2, 3] = 1, 7
    tally = Tally()
    tally.add(replace(record, slate_candidates=replace(record.slate_candidates, source_ranks=ranks)))
    sources = tally.document()["sources"]
    names = [source.source.name.lower() for source in record.sources]
    assert sources[names[0]]["positions_share"] == 1.0
    assert sources[names[3]]["positions_share"] == 2 / len(record.slate)
    assert sources[names[1]] == {"positions_share": 0.0, "proposed_per_request": record.sources[1].count}


def test_a_decision_without_a_slate_is_counted_too(record: DecisionRecord) -> None:
    assert record.candidates is not None
    empty = record.candidates.take(np.zeros(0, np.intp))
    tally = Tally()
    tally.add(replace(record, slate=(), slate_candidates=empty))
    assert tally.document()["count"] == 1


def test_times_are_told_in_milliseconds_by_stage(record: DecisionRecord) -> None:
    tally = Tally()
    for taken in range(1, 101):
        tally.add(replace(record, timings_us=((Stage.RANK, taken * 1000),)))
    assert tally.document()["stages_ms"]["rank"]["p50"] == pytest.approx(50.5)
    assert tally.document()["stages_ms"]["rank"]["p99"] == pytest.approx(99.01)


def test_quantiles_of_one_value_are_that_value() -> None:
    assert quantiles([3.0], 2.0) == {"p50": 6.0, "p99": 6.0}
