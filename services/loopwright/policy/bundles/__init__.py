"""Bundles as administrators see them: validated, published, activated when every replica is ready, rolled back."""

from loopwright.policy.bundles.administration import Administration, Publication, Summary, Validation
from loopwright.policy.bundles.gate import MUST_LOAD, Readiness, ReadinessGate, Standing

__all__ = [
    "MUST_LOAD",
    "Administration",
    "Publication",
    "Readiness",
    "ReadinessGate",
    "Standing",
    "Summary",
    "Validation",
]
