"""The items on the log, folded from CATALOG: who is known, whose id collides, what an upsert would change."""

from __future__ import annotations

from dataclasses import dataclass

from loopwright.domain.ids import item_id

Written = tuple[int, bytes]
"""(occurred_at in milliseconds, event id): the last write is the largest."""

_NEVER: Written = (-(1 << 62), b"")


@dataclass(frozen=True, slots=True)
class Upserted:
    """An item entered or changed; `content` is `rows.content_of`."""

    item: int
    external_id: str
    content: bytes
    written: Written


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """An item left."""

    item: int
    written: Written


@dataclass(slots=True)
class _Entry:
    external_id: str = ""
    content: bytes = b""
    upserted: Written = _NEVER
    withdrawn: Written = _NEVER


class KnownItems:
    """Order-free and idempotent: the tail may bring what this process has put in already."""

    def __init__(self) -> None:
        self._items: dict[int, _Entry] = {}
        self._ids: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._ids)

    def item_of(self, external_id: str) -> int | None:
        """Return the id of a known item, None for an unknown one; a withdrawn item stays known."""
        return self._ids.get(external_id)

    def collides(self, external_id: str) -> bool:
        """Say whether another external id has this one's 64-bit id."""
        entry = self._items.get(item_id(external_id))
        return entry is not None and entry.external_id not in ("", external_id)

    def holds(self, external_id: str, content: bytes, occurred_at_ms: int | None) -> bool:
        """Say whether an upsert of this content would change nothing.

        Args:
            external_id: The item.
            content: `rows.content_of` the row.
            occurred_at_ms: When it was true; None: now, which is no news of an equal item.
        """
        item = self._ids.get(external_id)
        if item is None:
            return False
        entry = self._items[item]
        standing = entry.content == content and entry.upserted > entry.withdrawn
        return standing and (occurred_at_ms is None or occurred_at_ms <= entry.upserted[0])

    def apply(self, fact: Upserted | Withdrawn) -> None:
        """Fold one fact."""
        entry = self._items.setdefault(fact.item, _Entry())
        if isinstance(fact, Withdrawn):
            entry.withdrawn = max(entry.withdrawn, fact.written)
        elif entry.external_id in ("", fact.external_id):
            entry.external_id = fact.external_id
            self._ids[fact.external_id] = fact.item
            if fact.written > entry.upserted:
                entry.upserted, entry.content = fact.written, fact.content
