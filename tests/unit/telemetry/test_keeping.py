from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import NonRecordingSpan, NoOpTracerProvider, SpanContext, TraceFlags

from loopwright.telemetry import Meter, names, open_span, span
from loopwright.telemetry import keeping as room
from loopwright.telemetry.keeping import TailKeeper
from loopwright.telemetry.sampling import RootSampler
from loopwright.telemetry.spans import SpanProvider
from loopwright.telemetry.tracing import mark_failed, use_provider


class Sink:
    def __init__(self) -> None:
        self.names: list[str] = []
        self.shut = False

    def put(self, span: ReadableSpan) -> None:
        self.names.append(span.name)

    def shutdown(self) -> None:
        self.shut = True


class World:
    """A keeper under a provider whose roots are not sampled, and a clock that moves when told."""

    def __init__(self, held_spans: int = 100) -> None:
        self.sink, self.meter, self.now = Sink(), Meter(), 0.0
        sink: Any = self.sink
        self.keeper = TailKeeper(sink, held_spans=held_spans, held_age_s=10, meter=self.meter, clock=lambda: self.now)
        self.provider = SpanProvider(Resource({}), RootSampler(0), self.keeper)
        use_provider(self.provider)

    @property
    def evicted(self) -> float:
        return self.meter.value(names.TRACE_SPANS, outcome="evicted")


@pytest.fixture
def world() -> Iterator[World]:
    yield World()
    use_provider(NoOpTracerProvider())


def called(sampled: bool) -> Context:
    parent = SpanContext(1, 2, True, TraceFlags(1 if sampled else 0))
    return trace.set_span_in_context(NonRecordingSpan(parent), Context())


def test_a_sampled_span_goes_on_at_once(world: World) -> None:
    with span(names.RECOMMEND, parent=called(True)):
        with span(names.RANK):
            pass
        assert world.sink.names == ["rank"]
    assert world.sink.names == ["rank", "recommend"]


def test_an_unsampled_trace_without_an_error_is_let_go(world: World) -> None:
    with span(names.RECOMMEND), span(names.RANK):
        pass
    assert world.sink.names == []
    assert not world.keeper._parts and not world.keeper._waiting


def test_a_degraded_answer_keeps_all_spans_of_its_trace(world: World) -> None:
    with span(names.RPC_SERVER, fill="a.B/C", parent=called(False)):
        with span(names.RECOMMEND) as root:
            with span(names.RANK):
                pass
            root.set_attribute(names.DEGRADED.name, True)
        assert world.sink.names == []
    assert world.sink.names == ["rank", "recommend", "a.B/C"]


def test_an_undegraded_answer_says_so_and_is_let_go(world: World) -> None:
    with span(names.RECOMMEND, {names.DEGRADED.name: False}):
        pass
    assert world.sink.names == []


def test_an_error_anywhere_keeps_the_part_and_no_other(world: World) -> None:
    other = open_span(names.TRAIN, parent=Context())
    with span(names.RECOMMEND), span(names.RANK) as stage:
        mark_failed(stage, "LATE")
    assert world.sink.names == ["rank", "recommend"]
    other.end()
    assert world.sink.names == ["rank", "recommend"]


def test_two_calls_of_one_trace_are_parts_of_their_own(world: World) -> None:
    """Hydration serves two calls of one request; the first one's end must not decide over the second."""
    second = open_span(names.RPC_SERVER, fill="a.B/Second", parent=called(False))
    with span(names.RPC_SERVER, fill="a.B/First", parent=called(False)):
        pass
    mark_failed(second, "UNAVAILABLE")
    second.end()
    assert world.sink.names == ["a.B/Second"]


def test_a_span_that_outlives_its_local_root_shares_its_fate(world: World) -> None:
    for failed in (True, False):
        with span(names.RECOMMEND, parent=Context()) as root:
            late = open_span(names.SEND, fill="decisions")
            if failed:
                mark_failed(root, "X")
        late.end()
    assert world.sink.names == ["recommend", "send decisions"]
    assert not world.keeper._parts


def test_the_oldest_part_gives_way_when_too_many_spans_wait(world: World) -> None:
    world = World(held_spans=3)
    old = open_span(names.TRAIN, parent=Context())
    for _ in range(3):
        open_span(names.REPLAY, parent=trace.set_span_in_context(old, Context())).end()
    with span(names.RECOMMEND, parent=Context()) as root:
        with span(names.RANK):
            pass
        assert world.evicted == 3
        mark_failed(root, "X")
    mark_failed(old, "X")
    old.end()
    assert world.sink.names == ["rank", "recommend", "train"]  # an error whose part is gone is kept alone


def test_a_part_that_does_not_end_is_given_up_with_age_and_with_number(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_span(names.TRAIN, parent=Context())
    world.now = 11
    open_span(names.TRAIN, parent=Context())
    assert len(world.keeper._parts) == 1
    monkeypatch.setattr(room, "MAX_PARTS", 5)
    for _ in range(50):
        open_span(names.TRAIN, parent=Context())
    assert len(world.keeper._parts) == 5


def test_shutting_down_shuts_the_sink(world: World) -> None:
    open_span(names.TRAIN)
    world.provider.shutdown()
    assert world.sink.shut and not world.keeper._parts
    assert world.keeper.force_flush()
