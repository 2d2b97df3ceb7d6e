"""The ids of the newest organic facts on the log: a batch that is sent again is recognised and not appended twice."""

from __future__ import annotations

GENERATION = 65_536
"""More rows than an importer has unanswered; two generations are about 13 MB."""


class RecentIds:
    """At least the newest `generation` ids, in two sets, so that adding costs no bookkeeping per id."""

    def __init__(self, generation: int = GENERATION) -> None:
        self._generation = generation
        self._new: set[bytes] = set()
        self._old: set[bytes] = set()

    def __contains__(self, identity: bytes) -> bool:
        return identity in self._new or identity in self._old

    def add(self, identity: bytes) -> None:
        """Remember an id that is durable."""
        self._new.add(identity)
        if len(self._new) >= self._generation:
            self._old, self._new = self._new, set()
