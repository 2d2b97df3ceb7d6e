"""The catalogue as the monitor needs it: which items and creators there are, and how old an item is."""

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
        self._present: tuple[set[int], set[int]] | None = None

    def apply(self, fact: Listed | Unlisted) -> None:
        """Fold one fact."""
        self._present = None
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

    def present(self) -> tuple[set[int], set[int]]:
        """Return the items that are listed now, and their creators; the caller changes neither."""
        if self._present is None:
            listed = {item: entry for item, entry in self._items.items() if entry.listed > entry.unlisted}
            self._present = set(listed), {entry.creator_id for entry in listed.values()} - {0}
        return self._present
