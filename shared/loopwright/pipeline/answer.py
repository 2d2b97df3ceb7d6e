"""The answer to a recommend request, as domain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from loopwright.domain.enums import Scheme, Source
from loopwright.pipeline.types import Degradation, Versions


class RecommendedItem(NamedTuple):
    """One position of the slate; `position` is absolute in the session."""

    external_id: str
    position: int
    sources: tuple[Source, ...]
    p_shown: float
    p_position: float
    scheme: Scheme
    exposure_token: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A slate with the versions in force and every departure from the plan."""

    decision_id: bytes
    versions: Versions
    arm: str
    items: tuple[RecommendedItem, ...]
    degradations: tuple[Degradation, ...]
    decided_at_ms: int
    replayed: bool = False
