from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from loopwright.rpc.in_flight import InFlightLimit, Ticket


@dataclass
class Time:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Counted:
    answered: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)
    shed: list[float] = field(default_factory=list)
    limits: list[int] = field(default_factory=list)


def simulated(
    arrivals: list[float], limit: InFlightLimit, time: Time, *, per_s: float, alone_s: float = 0.1, given_s: float = 1.0
) -> Counted:
    """A server that shares `per_s` requests/s of work among its calls; a call is cancelled at its deadline."""
    counted, running = Counted(), dict[int, tuple[Ticket, float]]()  # ticket and seconds of work left
    numbers, queue = itertools.count(), [(at, 0) for at in arrivals]
    heapq.heapify(queue)
    step = 0.01
    while queue or running:
        time.now += step
        while queue and queue[0][0] <= time.now:
            heapq.heappop(queue)
            ticket = limit.enter("m", given_s)
            if ticket is None:
                counted.shed.append(time.now)
            else:
                running[next(numbers)] = (ticket, 1.0)
        share = min(1 / alone_s, per_s / max(1, len(running))) * step
        for number, (ticket, work) in list(running.items()):
            took = time.now - ticket.started
            if work <= share or took >= given_s:
                del running[number]
                in_time = work <= share
                limit.leave(ticket, answered=in_time)
                (counted.answered if in_time else counted.late).append(time.now)
            else:
                running[number] = (ticket, work - share)
        counted.limits.append(limit.limit)
    return counted


def steady(per_s: float, seconds: float, start: float = 0.0) -> list[float]:
    return [start + n / per_s for n in range(int(per_s * seconds))]


def test_at_three_times_capacity_goodput_stays_and_nothing_is_late() -> None:
    time = Time()
    limit = InFlightLimit(64, 8, 0.5, time)
    counted = simulated(steady(60, 30), limit, time, per_s=20)
    assert not counted.late
    assert len(counted.answered) >= 0.9 * 20 * 30
    assert 4 <= limit.limit <= 14


def test_a_server_that_is_made_slow_sheds_more_and_is_back_within_ten_seconds() -> None:
    time = Time()
    limit = InFlightLimit(64, 8, 0.5, time)
    simulated(steady(60, 10), limit, time, per_s=20)
    simulated(steady(20, 5, time.now), limit, time, per_s=4)
    slow = limit.limit
    after = simulated(steady(20, 10, time.now), limit, time, per_s=40)
    assert slow <= 4
    assert not [at for at in after.shed if at > after.answered[0] + 9]


def test_light_load_is_never_shed_and_leaves_the_limit_alone() -> None:
    time = Time()
    limit = InFlightLimit(64, 8, 0.5, time)
    counted = simulated(steady(10, 10), limit, time, per_s=20)
    assert (counted.shed, counted.late, limit.limit) == ([], [], 8)


def test_a_fast_server_under_load_is_given_more_up_to_the_most() -> None:
    time = Time()
    limit = InFlightLimit(24, 8, 0.5, time)
    simulated(steady(300, 5), limit, time, per_s=200)
    assert limit.limit == 24


def test_calls_with_little_more_time_than_they_need_alone_are_not_late() -> None:
    time = Time()
    limit = InFlightLimit(64, 8, 0.5, time)
    counted = simulated(steady(8, 10), limit, time, per_s=20, alone_s=0.1, given_s=0.15)
    assert (counted.shed, counted.late) == ([], [])
    assert limit.limit == 8


def test_one_stall_shrinks_the_limit_once_however_many_calls_it_hits() -> None:
    time = Time()
    limit = InFlightLimit(64, 20, 0.5, time)
    tickets = [limit.enter("m", 1.0) for _ in range(20)]
    time.now = 0.9
    for ticket in tickets:
        assert ticket is not None
        limit.leave(ticket, answered=True)
    assert limit.limit == 16


def test_quick_refusals_teach_nothing() -> None:
    time = Time()
    limit = InFlightLimit(64, 2, 0.5, time)
    for _ in range(100):
        ticket = limit.enter("m", 1.0)
        assert ticket is not None
        limit.leave(ticket, answered=False)
    assert limit.limit == 2


def test_a_caller_that_grants_less_than_the_method_takes_alone_shrinks_nothing() -> None:
    time = Time()
    limit = InFlightLimit(64, 8, 0.5, time)
    for given_s, took in ((1.0, 0.1), *[(0.02, 0.02)] * 50):
        ticket = limit.enter("m", given_s)
        assert ticket is not None
        time.now += took
        limit.leave(ticket, answered=given_s == 1.0)
    assert limit.limit == 8


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 2), st.booleans(), st.floats(0, 2)), max_size=200))
def test_the_limit_stays_within_its_bounds_and_every_place_is_given_back(
    steps: list[tuple[bool, float, bool, float]],
) -> None:
    time = Time()
    limit, inside = InFlightLimit(10, 4, 0.5, time), list[Ticket]()
    for enter, seconds, answered, given_s in steps:
        time.now += seconds
        if enter:
            ticket = limit.enter("m", given_s)
            assert (ticket is None) == (len(inside) >= limit.limit)
            inside += [ticket] if ticket is not None else []
        elif inside:
            limit.leave(inside.pop(0), answered)
        assert limit.in_flight == len(inside)
        assert 2 <= limit.limit <= 10


def test_calls_that_expire_unbegun_shrink_the_limit_but_not_all_at_once() -> None:
    time = Time()
    limit = InFlightLimit(64, 20, 0.5, time)
    for _ in range(50):
        limit.expired()
    assert limit.limit == 16
    time.now += 0.125
    limit.expired()
    assert limit.limit == 12


def test_a_server_that_was_overloaded_takes_a_burst_again_once_no_call_was_late_for_a_while() -> None:
    time = Time()
    limit = InFlightLimit(most=64, start=8, late_share=0.25, clock=time)
    for _ in range(12):  # one late call after the other
        ticket = limit.enter("m", 1.0)
        assert ticket is not None
        time.now += 0.9
        limit.leave(ticket, answered=True)
    assert limit.limit == 2

    def burst() -> int:
        taken = [ticket for _ in range(10) if (ticket := limit.enter("m", 1.0)) is not None]
        for ticket in taken:
            limit.leave(ticket, answered=False)
        return len(taken)

    time.now += 9.9
    assert burst() == 2
    time.now += 0.1
    assert burst() == 8
