from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from loopwright.lifecycle.memory import settle_memory


@pytest.fixture(autouse=True)
def collector_as_it_was() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


def test_what_a_process_started_with_is_looked_at_no_more_and_later_cycles_still_go() -> None:
    settle_memory()
    assert gc.get_freeze_count() > 0
    assert gc.get_threshold()[0] > 10_000
    cycle: list[object] = []
    cycle.append(cycle)
    del cycle
    assert gc.collect() >= 1
