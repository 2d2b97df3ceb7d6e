"""The constraint stages of a slate, in the order in which they act; one file each.

1. EVERY candidate passes the bars, or is dropped with the first reason that bars it.
2. Each place but the explore slot goes to the candidate that diversity likes best among those no cap holds back.
3. The explore slot is drawn last, from what passes every cap beside the places already given.
4. In a share of decisions the slice replaces the whole slate by a uniform draw from the eligible.
A new bar or cap is one file here and one entry in its list; it acts only where a bundle asks for it.
"""

from collections.abc import Callable

from loopwright.bundle import PolicyBundle
from loopwright.pipeline.types import U8, SlateQuery
from loopwright.policy.slate.constraints.cap import Cap
from loopwright.policy.slate.constraints.creator_cap import CREATOR_CAP
from loopwright.policy.slate.constraints.diversity import Diversity
from loopwright.policy.slate.constraints.eligibility import eligibility
from loopwright.policy.slate.constraints.explore_slot import draw_explore, explore_position
from loopwright.policy.slate.constraints.randomised_slice import draw_slice, slice_rate
from loopwright.policy.slate.constraints.topic_cap import TOPIC_CAP

BARS: tuple[Callable[[PolicyBundle, SlateQuery], U8], ...] = (eligibility,)
CAPS: tuple[Cap, ...] = (CREATOR_CAP, TOPIC_CAP)

__all__ = [
    "BARS",
    "CAPS",
    "Cap",
    "Diversity",
    "draw_explore",
    "draw_slice",
    "explore_position",
    "slice_rate",
]
