"""One explore slot: drawn last, uniformly from every candidate that passes the caps beside the other places."""

from __future__ import annotations

from loopwright.bundle import PolicyBundle
from loopwright.domain.enums import Exploration
from loopwright.domain.randomness import below
from loopwright.pipeline.types import SlateQuery

MIN_K = 5
"""Shorter slates have no explore slot: it would be too large a share of them."""


def explore_position(bundle: PolicyBundle, query: SlateQuery, length: int) -> int:
    """Return the slate position of the explore slot, from 1; 0 when there is none.

    Args:
        bundle: Its `exploration.explore_position`.
        query: EVALUATE requests come with exploration OFF and have none.
        length: Length that the slate will have.
    """
    if query.exploration == Exploration.OFF or query.k < MIN_K:
        return 0
    position = bundle.exploration.explore_position
    return position if position <= length else 0


def draw_explore(seed: int, m: int) -> int:
    """Return which of the m candidates, in ascending item id, fills the slot."""
    return below(seed, "explore", m)
