"""The catalogue as the monitor needs it: how many items and creators there are, and how old an item is."""

from __future__ import annotations

from dataclasses import dataclass

from loopwright.monitor.facts import Listed, Unlisted

_NEVER = (-(1 << 62), b"")


@dataclass(slots=True)
class _Entry:
    listed: tuple[int, bytes] = _NEVER
    unlisted: tuple[int, bytes] = _NEVER
    first_ms: int = 1 << 62
    creator_id: int = 0
    published_ms: int | None = None


class Catalogue:
    """An order-free, idempotent fold: the last write by (event time, event id) holds."""

    def __init__(self) -> None:
        self._items: dict[int, _Entry] = {}

    def apply(self, fact: Listed | Unlisted) -> None:
        """Fold one fact."""
        entry = self._items.setdefault(fact.item_id, _Entry())
        if isinstance(fact, Unlisted):
            entry.unlisted = max(entry.unlisted, fact.written)
            return
        entry.first_ms = min(entry.first_ms, fact.written[0])
        if fact.written > entry.listed:
            entry.listed, entry.creator_id, entry.published_ms = fact.written, fact.creator_id, fact.published_ms

    def age_ms(self, item_id: int, now_ms: int) -> int | None:
        """Return how long ago an item was published, else first listed; None for an unknown item."""
        entry = self._items.get(item_id)
        if entry is None or entry.listed == _NEVER:
            return None
        return now_ms - (entry.first_ms if entry.published_ms is None else entry.published_ms)

    def sizes(self) -> tuple[int, int]:
        """Return the number of items that are listed now, and of their creators."""
        present = [entry for entry in self._items.values() if entry.listed > entry.unlisted]
        return len(present), len({entry.creator_id for entry in present} - {0})
