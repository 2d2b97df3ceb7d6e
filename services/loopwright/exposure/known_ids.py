"""Event ids that were acknowledged lately: tells clients of duplicates; the folds' dedup window is the authority."""

from __future__ import annotations

from collections import OrderedDict


class KnownIds:
    """The newest `capacity` event ids, in memory."""

    def __init__(self, capacity: int) -> None:
        """Remember at most `capacity` ids."""
        self._capacity = capacity
        self._ids: OrderedDict[bytes, None] = OrderedDict()

    def __contains__(self, event_id: bytes) -> bool:
        return event_id in self._ids

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, event_id: bytes) -> None:
        """Remember an id whose event is durable; the oldest id may go."""
        self._ids[event_id] = None
        self._ids.move_to_end(event_id)
        if len(self._ids) > self._capacity:
            self._ids.popitem(last=False)
