from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright.faults import DeadlineExceeded, DeadlineMissing
from loopwright.rpc.deadline import Deadline, bound, current_deadline


class Clock:
    def __init__(self, now: float = 100.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def test_remaining_falls_with_the_clock_and_stops_at_zero() -> None:
    clock = Clock()
    deadline = Deadline.after(2.0, clock)
    clock.now += 1.5
    assert deadline.remaining() == 0.5
    assert not deadline.expired
    clock.now += 1.0
    assert deadline.remaining() == 0.0
    assert deadline.expired


@given(total=st.floats(0, 10), budget=st.floats(0, 10), reserve=st.floats(0, 2))
def test_a_child_ends_within_its_budget_and_leaves_the_reserve(total: float, budget: float, reserve: float) -> None:
    parent = Deadline.after(total, Clock(0.0))
    child = parent.child(budget, reserve)
    assert child.instant == min(budget, total - reserve)
    assert child.instant <= parent.instant
    assert 0 <= child.remaining() <= budget


def test_an_expired_deadline_stops_work() -> None:
    clock = Clock()
    deadline = Deadline.after(1.0, clock)
    deadline.check()
    clock.now += 1.0
    with pytest.raises(DeadlineExceeded):
        deadline.check()


def test_a_call_without_a_deadline_is_refused() -> None:
    with pytest.raises(DeadlineMissing) as caught:
        Deadline.received(None)
    assert caught.value.reason == "DEADLINE_REQUIRED"


def test_the_bound_deadline_is_current_only_in_its_block() -> None:
    deadline = Deadline.after(1.0, Clock())
    assert current_deadline() is None
    with bound(deadline):
        assert current_deadline() is deadline
        assert Deadline.of(None) is deadline  # type: ignore[arg-type]
    assert current_deadline() is None
