from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import use_span

from loopwright.domain.enums import DegradationReason, Stage
from loopwright.pipeline.answer import Answer
from loopwright.pipeline.types import Degradation, Versions
from loopwright.recommender.telling import tell


@pytest.mark.parametrize("notes", [(), (Degradation(Stage.RANK, DegradationReason.TIMEOUT),)])
def test_a_span_names_decision_and_policy_and_says_whether_the_answer_is_degraded(
    notes: tuple[Degradation, ...],
) -> None:
    span: Any = TracerProvider(shutdown_on_exit=False).get_tracer("t").start_span("recommend")
    with use_span(span):
        tell(Answer(bytes(range(16)), Versions("abc"), "", (), notes, 0))
    assert dict(span.attributes) == {
        "loopwright.decision_id": bytes(range(16)).hex(),
        "loopwright.policy_version": "abc",
        "loopwright.slate_length": 0,
        "loopwright.degraded": bool(notes),
    }
