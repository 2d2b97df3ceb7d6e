from __future__ import annotations

from loopwright.ingest.times import DEDUP_WINDOW_MS, FUTURE, TOO_LATE, Span


def test_both_ends_of_the_span_are_allowed() -> None:
    span = Span.of(now_ms=10, settled_ms=0, slack_ms=5)
    assert [span.refusal(ms) for ms in (-DEDUP_WINDOW_MS, 15)] == [None, None]
    assert [span.refusal(ms) for ms in (-DEDUP_WINDOW_MS - 1, 16)] == [TOO_LATE, FUTURE]


def test_nothing_is_late_on_an_empty_topic() -> None:
    assert Span.of(now_ms=10, settled_ms=None, slack_ms=0).refusal(-(1 << 50)) is None
