from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from loopwright.faults import BreakerOpen, Kind
from loopwright.rpc.breaker import Breaker, Permit, State
from loopwright.rpc.settings import BreakerSettings
from loopwright.telemetry import METER, Meter, names


@dataclass
class Time:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Scene:
    settings: BreakerSettings = field(default_factory=BreakerSettings)
    time: Time = field(default_factory=Time)
    meter: Meter = METER

    def __post_init__(self) -> None:
        self.breaker = Breaker("ranking", self.settings, self.time, self.meter)

    def fail(self, times: int = 1, every_s: float = 0.0625) -> None:
        for _ in range(times):
            self.breaker.failed(self.breaker.admit())
            self.time.now += every_s

    def opened(self) -> Scene:
        self.fail(5)
        assert self.breaker.state is State.OPEN
        return self


def test_failures_in_a_row_that_span_a_while_open_it() -> None:
    scene = Scene()
    scene.fail(5)  # over .25 s
    assert scene.breaker.state is State.OPEN
    with pytest.raises(BreakerOpen) as caught:
        scene.breaker.admit()
    fault = caught.value
    assert (fault.kind, fault.reason, fault.retryable) == (Kind.UNAVAILABLE, "BREAKER_OPEN", True)
    assert fault.retry_after_s


def test_many_calls_lost_with_one_connection_do_not_open_it() -> None:
    scene = Scene()
    scene.fail(50, every_s=0.0)
    assert scene.breaker.state is State.CLOSED


def test_a_success_among_the_failures_starts_the_count_anew() -> None:
    scene = Scene()
    for _ in range(20):
        scene.fail(3)
        scene.breaker.succeeded(scene.breaker.admit())
    assert scene.breaker.state is State.CLOSED


def test_one_probe_at_a_time_goes_through_and_its_success_closes() -> None:
    scene = Scene().opened()
    scene.time.now += 0.25
    probe = scene.breaker.admit()
    with pytest.raises(BreakerOpen):
        scene.breaker.admit()
    scene.breaker.succeeded(probe)
    assert scene.breaker.state is State.CLOSED
    scene.breaker.admit()


def test_a_probe_that_nobody_waits_for_gives_its_place_to_the_next() -> None:
    scene = Scene().opened()
    scene.time.now += 0.25
    scene.breaker.abandoned(scene.breaker.admit())
    assert scene.breaker.state is State.HALF_OPEN
    scene.breaker.admit()


def test_what_calls_from_before_the_opening_tell_is_not_news() -> None:
    scene = Scene()
    early = [scene.breaker.admit() for _ in range(2)]
    scene.opened()
    scene.breaker.succeeded(early[0])
    assert scene.breaker.state is State.OPEN
    scene.time.now += 0.25
    scene.breaker.admit()
    scene.breaker.failed(early[1])
    assert scene.breaker.state is State.HALF_OPEN


@given(gap=st.floats(0.001, 0.1), budget=st.floats(0.0, 0.4))
def test_a_dead_or_frozen_leaf_under_load_is_left_alone_within_a_second(gap: float, budget: float) -> None:
    """Every call fails `budget` seconds after its start: at 10 requests/s and more, at any stage's budget."""
    scene = Scene()
    start, calls, number = scene.time.now, list[tuple[float, Permit]](), 0
    while scene.breaker.state is State.CLOSED:
        coming, ending = start + number * gap, calls[0][0] if calls else float("inf")
        scene.time.now = min(coming, ending)
        if ending <= coming:
            scene.breaker.failed(calls.pop(0)[1])
        else:
            calls.append((coming + budget, scene.breaker.admit()))
            number += 1
    assert scene.time.now - start <= 1.0


@given(probe_s=st.floats(0.0, 2.0), gap=st.floats(0.001, 0.1))
def test_a_failing_leaf_is_probed_at_least_twice_a_second_however_long_a_probe_hangs(
    probe_s: float, gap: float
) -> None:
    scene = Scene().opened()
    opened, probes, running = scene.time.now, [scene.time.now], list[tuple[float, Permit]]()
    while scene.time.now < opened + 5:
        scene.time.now += gap
        while running and running[0][0] <= scene.time.now:
            scene.breaker.failed(running.pop(0)[1])
        try:
            running.append((scene.time.now + probe_s, scene.breaker.admit()))
            probes.append(scene.time.now)
        except BreakerOpen:
            continue
    assert max(b - a for a, b in itertools.pairwise(probes)) <= 0.5
    assert len(running) <= 10


def test_the_state_is_a_metric() -> None:
    scene = Scene(meter=Meter())
    seen = [scene.meter.value(names.BREAKER_STATE, target="ranking")]
    scene.opened()
    seen.append(scene.meter.value(names.BREAKER_STATE, target="ranking"))
    scene.time.now += 1
    probe = scene.breaker.admit()
    seen.append(scene.meter.value(names.BREAKER_STATE, target="ranking"))
    scene.breaker.succeeded(probe)
    seen.append(scene.meter.value(names.BREAKER_STATE, target="ranking"))
    assert seen == [0, 2, 1, 0]


class Machine(RuleBasedStateMachine):
    """Any order of calls and ends: what is let through and what the state is obey the settings."""

    def __init__(self) -> None:
        super().__init__()
        self.scene = Scene(BreakerSettings(failures_in_a_row=3, failing_for_s=0.2, open_s=0.3, probes_at_once=2))
        self.running: list[Permit] = []
        self.before = State.CLOSED

    @rule(seconds=st.floats(0.0, 0.5))
    def wait(self, seconds: float) -> None:
        self.scene.time.now += seconds

    @rule()
    def call(self) -> None:
        state = self.scene.breaker.state
        try:
            self.running.append(self.scene.breaker.admit())
            assert self.scene.breaker.state is not State.OPEN
        except BreakerOpen:
            assert state is not State.CLOSED

    @precondition(lambda self: self.running)
    @rule(data=st.data(), end=st.sampled_from(["succeeded", "failed", "abandoned"]))
    def end(self, data: st.DataObject, end: str) -> None:
        permit = self.running.pop(data.draw(st.integers(0, len(self.running) - 1)))
        state = self.scene.breaker.state
        getattr(self.scene.breaker, end)(permit)
        after = self.scene.breaker.state
        allowed = {"succeeded": {State.CLOSED}, "failed": {State.OPEN}, "abandoned": set[State]()}[end]
        assert after is state or after in allowed

    @invariant()
    def an_open_breaker_always_probes_again(self) -> None:
        if self.scene.breaker.state is State.OPEN:
            assert self.scene.breaker._probe_at <= self.scene.time.now + 0.3


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=50, stateful_step_count=30, deadline=None)
