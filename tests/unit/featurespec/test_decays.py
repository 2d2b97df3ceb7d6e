from __future__ import annotations

import numpy as np
import pytest
from tests.unit.featurespec.worlds import NOW_MS, world

from loopwright.featurespec.facts import RING_COUNTERS, Counter
from loopwright.featurespec.rings import DAY_MS, HOUR_MS


@pytest.mark.parametrize("back_ms", [-DAY_MS, 0, HOUR_MS, DAY_MS])
def test_a_total_alone_is_the_one_of_the_whole_view(back_ms: int) -> None:
    table, _ = world()
    rows = np.arange(len(table))[::-1]
    whole = table.decays.view(rows, NOW_MS - back_ms, ()).totals
    for counter in list(Counter)[:RING_COUNTERS]:
        np.testing.assert_array_equal(table.decays.total(rows, counter, NOW_MS - back_ms), whole[:, counter])


def test_a_total_leaves_out_what_came_later() -> None:
    table, _ = world()
    rows = np.arange(len(table))
    now, before = (table.decays.total(rows, Counter.ENGAGEMENTS, at_ms).sum() for at_ms in (NOW_MS, NOW_MS - DAY_MS))
    assert 0 < before < now
