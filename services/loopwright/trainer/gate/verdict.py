"""`Verdict`: what the gates say, why, and on which figures."""

from __future__ import annotations

from dataclasses import dataclass, field

PASSED, REFUSED, NO_VERDICT = "PASSED", "REFUSED", "NO_VERDICT"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of all gates; NO_VERDICT: nothing speaks against the models, but they were not compared."""

    verdict: str
    reasons: tuple[str, ...]
    figures: dict[str, float] = field(default_factory=dict)

    @property
    def may_serve(self) -> bool:
        """Whether promotion is allowed."""
        return self.verdict != REFUSED
