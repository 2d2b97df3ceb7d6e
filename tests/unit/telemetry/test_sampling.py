from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased
from opentelemetry.trace import Link, SpanContext, SpanKind, TraceFlags

from loopwright.telemetry.sampling import RootSampler

TRACE, SPAN = 0xABC, 0xDEF


def flagged(sampled: bool, remote: bool = True) -> SpanContext:
    return SpanContext(TRACE, SPAN, remote, TraceFlags(1 if sampled else 0))


@given(st.integers(min_value=1, max_value=2**128 - 1), st.floats(min_value=0, max_value=1))
def test_the_trace_id_alone_decides_at_the_root_as_opentelemetry_decides(trace_id: int, ratio: float) -> None:
    theirs = TraceIdRatioBased(ratio).should_sample(None, trace_id, "x").decision.is_sampled()
    assert RootSampler(ratio).sampled(None, trace_id, SpanKind.SERVER) is theirs


@pytest.mark.parametrize("remote", [True, False])
@pytest.mark.parametrize("kind", list(SpanKind))
def test_a_parents_flag_is_followed_whatever_the_ratio(remote: bool, kind: SpanKind) -> None:
    assert RootSampler(0).sampled(flagged(True, remote), TRACE, kind)
    assert not RootSampler(1).sampled(flagged(False, remote), TRACE, kind)


def test_a_consumers_root_is_sampled_when_and_only_when_a_sender_was() -> None:
    def decided(ratio: float, *flags: bool) -> bool:
        return RootSampler(ratio).sampled(None, TRACE, SpanKind.CONSUMER, [Link(flagged(flag)) for flag in flags])

    assert decided(0, False, True)
    assert not decided(1, False)
    assert not decided(1)


def test_a_heartbeat_begins_no_sampled_trace() -> None:
    assert not RootSampler(1).sampled(None, TRACE, SpanKind.PRODUCER)


@pytest.mark.parametrize("ratio", [-0.1, 1.1])
def test_a_share_outside_0_to_1_is_refused(ratio: float) -> None:
    with pytest.raises(ValueError, match="share"):
        RootSampler(ratio)
