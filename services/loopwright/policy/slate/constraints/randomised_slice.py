"""The randomised slice: a small share of slates is a uniform draw from all eligible, without caps or diversity.

It is the data that every unbiased estimate can lean on, since every eligible candidate had a known chance.
"""

from __future__ import annotations

from loopwright.bundle import PolicyBundle
from loopwright.domain.enums import Exploration
from loopwright.domain.randomness import sample_without_replacement, unit
from loopwright.pipeline.types import SlateQuery


def slice_rate(bundle: PolicyBundle, query: SlateQuery) -> float:
    """Return ρ, the share of slates to draw; 0 when the request allows no exploration."""
    return 0.0 if query.exploration == Exploration.OFF else bundle.exploration.slice_rate


def draw_slice(seed: int, rho: float, n: int, length: int) -> list[int] | None:
    """Return the drawn pool indices in slate order, or None when this decision is not of the slice."""
    if rho <= 0.0 or unit(seed, "slice") >= rho:
        return None
    return sample_without_replacement(seed, "slice.draw", n, length)
