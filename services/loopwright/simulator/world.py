"""The world: who visits when, how far each slate is looked at, and what is clicked and liked; pure, seeded by hashing.

In: each user's tastes, the items they will act on once they see them. Out: visits by number and reactions to slates.
The truth stays here; the mesh sees requests, impressions and actions only.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from loopwright.domain.randomness import sample_without_replacement, unit

VISITORS = "simulator.visitors"
EXAMINED = "simulator.examined"


@dataclass(frozen=True, slots=True)
class Rules:
    """How users behave.

    Attributes:
        continuation: Probability of looking at the next position after this one, in (0, 1).
        like_at: A clicked item is liked when its rating is at least this.
    """

    continuation: float = 0.9
    like_at: float = 4.0


@dataclass(frozen=True, slots=True)
class Visit:
    """One request to come; `request_id` is a function of seed and number, so a repeated visit is the same request."""

    number: int
    user_id: str
    request_id: str
    session_id: str


@dataclass(frozen=True, slots=True)
class Reaction:
    """What a user made of a slate: the first `viewed` places came into view; indices of clicked and of liked ones."""

    viewed: int
    clicked: tuple[int, ...]
    liked: tuple[int, ...]


class World:
    """Users in one seeded order, visiting round after round, so that visits of a user lie a whole round apart."""

    def __init__(self, tastes: Mapping[str, Mapping[str, float]], seed: int, rules: Rules | None = None) -> None:
        """Take user -> item -> rating.

        Raises:
            ValueError: There is no user, or `continuation` is outside (0, 1).
        """
        self._rules = rules or Rules()
        if not tastes:
            raise ValueError("a world needs at least one user")
        if not 0 < self._rules.continuation < 1:
            raise ValueError("continuation must be between 0 and 1")
        self._tastes = tastes
        self._seed = seed
        users = sorted(tastes)
        self._order = [users[i] for i in sample_without_replacement(seed, VISITORS, len(users), len(users))]

    def visit(self, number: int) -> Visit:
        """Return visit `number`, from 0."""
        turn, place = divmod(number, len(self._order))
        return Visit(number, self._order[place], f"sim.{self._seed}.{number}", f"session-{turn}")

    def reaction(self, visit: Visit, items: Sequence[str]) -> Reaction:
        """Return what the visitor makes of the slate's items, in display order.

        The prefix in view is geometric (a position-based examination with constant continuation), cut at the slate's
        end; every viewed item of the user's tastes is clicked.
        """
        viewed = min(len(items), self._examined(visit.number))
        tastes = self._tastes[visit.user_id]
        clicked = tuple(place for place in range(viewed) if items[place] in tastes)
        liked = tuple(place for place in clicked if tastes[items[place]] >= self._rules.like_at)
        return Reaction(viewed, clicked, liked)

    def _examined(self, number: int) -> int:
        # Inverse of the geometric distribution: P(d > n) = continuation ** n.
        drawn = unit(self._seed, f"{EXAMINED}.{number}")
        return 1 + math.floor(math.log1p(-drawn) / math.log(self._rules.continuation))
