from __future__ import annotations

import ctypes
import gc
import resource
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


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="another C library")
def test_freed_buffers_of_a_message_s_size_are_used_again_without_a_page_fault() -> None:
    settle_memory()

    def faults_of_buffers(count: int) -> int:
        before = resource.getrusage(resource.RUSAGE_THREAD).ru_minflt
        for _ in range(count):
            bytes(bytearray(1_000_000))
        return resource.getrusage(resource.RUSAGE_THREAD).ru_minflt - before

    faults_of_buffers(2)
    assert faults_of_buffers(50) < 50  # two buffers of 245 pages each time
