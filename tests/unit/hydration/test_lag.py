from __future__ import annotations

import math

import pytest

from loopwright.domain.enums import DegradationReason, Stage
from loopwright.faults import FeatureStoreDown
from loopwright.featurespec.groups import GROUPS
from loopwright.hydration.lag import FRESH_MS, STAGES, Progress
from loopwright.pipeline.types import Degradation

USERS, ITEMS = GROUPS["user_activity.v1"], GROUPS["item_counts.v1"]


@pytest.fixture
def progress(wall):
    return Progress(wall)


def noted(progress, wall, **ages_s):
    progress.note({stage: wall.ms - int(age * 1000) for stage, age in ages_s.items()})


def test_every_stage_that_a_group_waits_for_is_read():
    assert set(STAGES) == {stage for group in GROUPS.values() for stage in group.stages}


def test_the_lag_of_a_group_is_that_of_its_slowest_stage(progress, wall):
    noted(progress, wall, users=2.0, items=5.0)
    assert progress.lag_s(USERS) == 2.0
    assert progress.lag_s(ITEMS) == 5.0
    noted(progress, wall, users=7.0, items=5.0)
    assert progress.lag_s(ITEMS) == 7.0


def test_a_group_is_stale_only_above_its_maximum_lag(progress, wall):
    noted(progress, wall, users=USERS.max_lag_s, items=0.0)
    assert progress.stale(Stage.HYDRATE_USER, [USERS]) == []
    wall.ms += 1
    assert progress.stale(Stage.HYDRATE_USER, [USERS]) == [
        Degradation(Stage.HYDRATE_USER, DegradationReason.STALE_FEATURES, "user_activity.v1")
    ]


def test_the_mirrors_lag_adds_to_the_projectors(progress, wall):
    noted(progress, wall, users=0.0, items=ITEMS.max_lag_s - 1)
    assert progress.stale(Stage.HYDRATE_ITEMS, [ITEMS], mirror_lag_s=0.5) == []
    assert len(progress.stale(Stage.HYDRATE_ITEMS, [ITEMS], mirror_lag_s=1.5)) == 1


def test_a_stage_that_never_caught_up_makes_its_groups_stale(progress, wall):
    assert progress.lag_s(USERS) == math.inf
    noted(progress, wall, users=0.0)
    assert [d.subject for d in progress.stale(Stage.HYDRATE_ITEMS, [USERS, ITEMS])] == ["item_counts.v1"]


def test_a_clock_slightly_ahead_gives_no_negative_lag(progress, wall):
    noted(progress, wall, users=-1.0)
    assert progress.lag_s(USERS) == 0.0


async def test_the_store_is_asked_at_most_four_times_a_second(progress, memory_rows, wall, deadline):
    memory_rows.stages = {"users": wall.ms, "items": wall.ms}
    for _ in range(3):
        await progress.refresh(memory_rows, deadline)
    assert memory_rows.calls == ["progress"]
    wall.ms += FRESH_MS
    await progress.refresh(memory_rows, deadline)
    assert memory_rows.calls == ["progress"] * 2


async def test_while_the_store_is_away_what_was_known_ages(progress, memory_rows, wall, deadline):
    noted(progress, wall, users=0.0, items=0.0)
    memory_rows.fault = FeatureStoreDown()
    wall.ms += 30_000
    await progress.refresh(memory_rows, deadline)
    assert progress.lag_s(ITEMS) == 30.0


async def test_progress_that_vanished_from_the_store_is_no_longer_known(progress, memory_rows, wall, deadline):
    noted(progress, wall, users=0.0, items=0.0)
    wall.ms += FRESH_MS
    await progress.refresh(memory_rows, deadline)
    assert progress.lag_s(USERS) == math.inf
