"""What the monitor folds, as plain values made from events by `convert`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from loopwright.domain.enums import Scheme, Source


@dataclass(frozen=True, slots=True)
class Shown:
    """One position of a slate: item, its creator (0: none), who proposed it, and the branch that drew it."""

    item_id: int
    creator_id: int
    sources: tuple[Source, ...]
    scheme: Scheme


@dataclass(frozen=True, slots=True)
class Served:
    """A SERVE decision; `degradations` counts `STAGE/REASON`."""

    decision_id: bytes
    surface: str
    decided_ms: int
    slate: tuple[Shown, ...]
    degradations: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Viewed:
    """A client's confirmation: (item, seen) each; not seen means only prefetched. `viewed_ms`: when the mesh got it."""

    decision_id: bytes
    surface: str
    viewed_ms: int
    items: tuple[tuple[int, bool], ...]


@dataclass(frozen=True, slots=True)
class Acted:
    """An action on an item of a slate. `acted_ms`: when the mesh got it."""

    decision_id: bytes
    surface: str
    acted_ms: int
    item_id: int


@dataclass(frozen=True, slots=True)
class Listed:
    """An item as the catalogue has it; `published_ms` None: unknown."""

    item_id: int
    written: tuple[int, bytes]
    creator_id: int
    published_ms: int | None


@dataclass(frozen=True, slots=True)
class Unlisted:
    """An item left the catalogue."""

    item_id: int
    written: tuple[int, bytes]


Fact = Served | Viewed | Acted | Listed | Unlisted
