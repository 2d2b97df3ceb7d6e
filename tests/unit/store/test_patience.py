from __future__ import annotations

import pytest

from loopwright.store.patience import Patience


class Waiting(Patience):
    """A wait that keeps when it was told what."""

    def __init__(self, timers, ceiling_s, deadline_s):
        self.told = []
        self.timers = timers
        self.began = timers.now
        super().__init__(ceiling_s, timers.deadline(deadline_s), timers, timers.computed)

    def late(self):
        self.told.append(("late", round(self.timers.now - self.began, 6)))

    def over(self):
        self.told.append(("over", round(self.timers.now - self.began, 6)))


def test_an_idle_loop_waits_for_the_ceiling_and_no_longer(timers):
    wait = Waiting(timers, 0.020, 1.0)
    timers.until(100.0199)
    assert wait.told == []
    timers.until(100.5)
    assert wait.told == [("late", 0.020), ("over", 0.020)]


def test_what_this_thread_computed_is_granted_again(timers):
    wait = Waiting(timers, 0.020, 1.0)
    timers.now, timers.computed_s = 100.050, timers.computed_s + 0.045  # the loop was busy; the store had 5 ms
    timers.turn()
    timers.until(100.0649)
    assert wait.told == []
    timers.until(100.066)
    assert [what for what, _ in wait.told] == ["late", "over"]
    assert wait.told[0][1] == pytest.approx(0.065)


def test_what_is_computed_while_more_time_is_granted_is_granted_too(timers):
    wait = Waiting(timers, 0.020, 10.0)
    for _ in range(100):  # the loop never rests
        timers.now, timers.computed_s = timers.now + 0.030, timers.computed_s + 0.030
        timers.turn()
    assert wait.told == []


def test_a_loop_that_never_rests_waits_no_longer_than_the_deadline(timers):
    wait = Waiting(timers, 0.020, 0.1)
    for _ in range(6):
        timers.now, timers.computed_s = timers.now + 0.030, timers.computed_s + 0.030
        timers.turn()
    assert [what for what, _ in wait.told] == ["late"]


def test_lateness_that_was_not_ours_is_not_granted(timers):
    wait = Waiting(timers, 0.020, 1.0)
    timers.now = 100.050  # the process did not run
    for _ in range(3):
        timers.turn()
    assert [what for what, _ in wait.told] == ["late", "over"]


def test_the_sockets_are_read_once_before_the_wait_ends(timers):
    wait = Waiting(timers, 0.020, 1.0)
    timers.now = 100.050
    timers.turn()  # the timer
    timers.turn()  # behind it the loop reads what lies in the sockets
    assert wait.told == []
    wait.rest()  # an answer was there
    assert timers.turn() == 0
    timers.until(200.0)
    assert wait.told == []


def test_a_deadline_before_the_ceiling_is_told_and_the_wait_goes_on_to_the_ceiling(timers):
    wait = Waiting(timers, 0.020, 0.005)
    timers.until(100.5)
    assert wait.told == [("late", 0.005), ("late", 0.020), ("over", 0.020)]


def test_a_deadline_that_has_passed_is_told_at_once(timers):
    wait = Waiting(timers, 0.020, -1.0)
    for _ in range(3):
        timers.turn()
    assert wait.told == [("late", 0.0)]


def test_an_ended_wait_says_nothing(timers):
    wait = Waiting(timers, 0.020, 0.005)
    wait.rest()
    timers.until(200.0)
    assert wait.told == []
