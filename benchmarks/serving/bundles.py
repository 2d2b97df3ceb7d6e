"""The benchmark's policies: one surface for 2,000 candidates and one for 500, both active at once.

Everything that the default bundle switches on stays on: constraints, diversity, exploration, funnels of 1 %.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import yaml

from benchmarks.serving.models import ITEM_GROUPS, USER_GROUPS
from loopwright.bundle import PolicyBundle, default_document, parse_bundle

SLATE = 20
CUT = 500
"""Candidates that the heavy net scores and policy chooses from."""


@dataclass(frozen=True, slots=True)
class Size:
    """A funnel: its surface, and how many candidates it begins with."""

    surface: str
    candidates: int

    @property
    def title(self) -> str:
        """How tables call it."""
        return f"{SLATE} of {self.candidates:,}"


LARGE, SMALL = Size("bench2000", 2000), Size("bench500", 500)
SIZES = (LARGE, SMALL)


def bundle(size: Size, pins: Mapping[str, str]) -> PolicyBundle:
    """Return the policy of a surface with these models pinned; every candidate comes from the two-tower source."""
    document = yaml.safe_load(default_document())
    document["surface"] = size.surface
    document["models"] = dict(pins)
    document["features"] = {"user": list(USER_GROUPS), "item": list(ITEM_GROUPS)}
    tower = document["retrieval"]["sources"]["two_tower"] | {"quota": size.candidates}
    document["retrieval"] |= {"max_candidates": size.candidates, "sources": {"two_tower": tower}}
    document["ranking"]["best_n"] = CUT
    return parse_bundle(json.dumps(document))
