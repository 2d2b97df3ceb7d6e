"""What the front door's own span says of an answer: which decision, under which policy, and whether it is degraded.

`FrontDoor` calls it inside its span; a trace whose answer is degraded is kept whether it was sampled or not.
"""

from __future__ import annotations

from opentelemetry.trace import get_current_span

from loopwright.pipeline.answer import Answer
from loopwright.telemetry import names


def tell(answer: Answer) -> None:
    """Put ids and versions of the answer on the current span; nothing that points at a person."""
    span = get_current_span()
    if span.is_recording():
        span.set_attribute(names.DECISION.name, answer.decision_id.hex())
        span.set_attribute(names.POLICY_VERSION.name, answer.versions.policy_version)
        span.set_attribute(names.SLATE_LENGTH.name, len(answer.items))
        span.set_attribute(names.DEGRADED.name, bool(answer.degradations))
