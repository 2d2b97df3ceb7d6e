from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, TraceFlags

from loopwright.telemetry.sampling import RootSampler

TRACE, SPAN = 0xABC, 0xDEF


def below(sampled: bool, remote: bool = True) -> Context:
    parent = SpanContext(TRACE, SPAN, remote, TraceFlags(1 if sampled else 0))
    return trace.set_span_in_context(NonRecordingSpan(parent), Context())


def link(sampled: bool) -> Link:
    return Link(SpanContext(TRACE, SPAN, True, TraceFlags(1 if sampled else 0)))


@given(st.integers(min_value=1, max_value=2**128 - 1), st.floats(min_value=0, max_value=1))
def test_the_trace_id_alone_decides_at_the_root(trace_id: int, ratio: float) -> None:
    decided = RootSampler(ratio).should_sample(Context(), trace_id, "x").decision
    low = trace_id & (2**64 - 1)
    assert decided.is_recording()
    assert decided.is_sampled() == (low < round(ratio * 2**64))


@pytest.mark.parametrize("remote", [True, False])
def test_a_parents_flag_is_followed_whatever_the_ratio(remote: bool) -> None:
    assert RootSampler(0).should_sample(below(True, remote), TRACE, "x").decision is Decision.RECORD_AND_SAMPLE
    assert RootSampler(1).should_sample(below(False, remote), TRACE, "x").decision is Decision.RECORD_ONLY


def test_a_consumers_root_is_sampled_when_and_only_when_a_sender_was() -> None:
    def decided(ratio: float, *flags: bool) -> bool:
        links = [link(flag) for flag in flags]
        kind = SpanKind.CONSUMER
        return RootSampler(ratio).should_sample(Context(), TRACE, "x", kind, links=links).decision.is_sampled()

    assert decided(0, False, True)
    assert not decided(1, False)
    assert not decided(1)


def test_a_heartbeat_begins_no_sampled_trace_but_a_send_below_a_request_follows_it() -> None:
    sampler = RootSampler(1)
    assert sampler.should_sample(Context(), TRACE, "x", SpanKind.PRODUCER).decision is Decision.RECORD_ONLY
    assert sampler.should_sample(below(True), TRACE, "x", SpanKind.PRODUCER).decision.is_sampled()


def test_a_process_that_exports_nothing_records_nothing_but_passes_the_flag_on() -> None:
    silent = RootSampler(0, record=False)
    assert silent.should_sample(Context(), TRACE, "x").decision is Decision.DROP
    assert silent.should_sample(below(False), TRACE, "x").decision is Decision.DROP
    assert silent.should_sample(below(True), TRACE, "x").decision.is_sampled()


def test_attributes_and_a_parents_state_are_kept() -> None:
    decided = RootSampler(1).should_sample(Context(), TRACE, "x", attributes={"a": 1})
    assert dict(decided.attributes or {}) == {"a": 1}
    assert "RootSampler" in RootSampler(1).get_description()
