"""Where the projector keeps rows and marks: the interface, and the one in memory for replays and tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from loopwright.featurespec.hashing import state_hash

USER_PREFIX, ITEM_PREFIX = "user:", "item:"


@dataclass(frozen=True, slots=True)
class Write:
    """What is written in one step for one logical partition: rows (hash fields) and plain values, by key."""

    rows: dict[str, dict[str, bytes]] = field(default_factory=dict)
    values: dict[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Hashes:
    """Hashes over all user rows and all item rows, with their numbers."""

    users: str
    items: str
    user_rows: int
    item_rows: int


class StateStore(Protocol):
    """Rows and marks of one namespace; every method may raise FeatureStoreDown or FeatureStoreTimeout."""

    async def rows(self, keys: Sequence[str], groups: Sequence[str]) -> list[dict[str, bytes]]:
        """Return the fields of each row that exist."""
        ...

    async def values(self, keys: Sequence[str]) -> list[bytes | None]:
        """Return plain values, None where there is none."""
        ...

    async def commit(self, writes: Sequence[Write]) -> None:
        """Write each `Write` atomically; one that fails leaves the others possibly written."""
        ...

    async def delete(self, key: str) -> None:
        """Remove a plain value."""
        ...

    def scan(self, prefix: str) -> AsyncIterator[tuple[str, Mapping[str, bytes]]]:
        """Yield every row whose key begins so, in any order."""
        ...

    async def clear(self) -> None:
        """Remove everything in the namespace."""
        ...


async def hashes(store: StateStore) -> Hashes:
    """Return the hashes of all user rows and all item rows of a store."""
    found: list[str] = []
    counts: list[int] = []
    for prefix in (USER_PREFIX, ITEM_PREFIX):
        states: list[tuple[bytes, str, bytes]] = []
        rows = 0
        async for key, fields in store.scan(prefix):
            rows += 1
            states += [(key.encode(), group, state) for group, state in fields.items()]
        found.append(state_hash(states))
        counts.append(rows)
    return Hashes(found[0], found[1], counts[0], counts[1])


class MemoryStore:
    """A store that lives as long as its process."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[str, bytes]] = {}
        self._values: dict[str, bytes] = {}

    async def rows(self, keys: Sequence[str], groups: Sequence[str]) -> list[dict[str, bytes]]:
        """See `StateStore.rows`."""
        return [{g: s for g, s in self._rows.get(key, {}).items() if g in groups} for key in keys]

    async def values(self, keys: Sequence[str]) -> list[bytes | None]:
        """See `StateStore.values`."""
        return [self._values.get(key) for key in keys]

    async def commit(self, writes: Sequence[Write]) -> None:
        """See `StateStore.commit`."""
        for write in writes:
            for key, fields in write.rows.items():
                self._rows.setdefault(key, {}).update(fields)
            self._values.update(write.values)

    async def delete(self, key: str) -> None:
        """See `StateStore.delete`."""
        self._values.pop(key, None)

    async def scan(self, prefix: str) -> AsyncIterator[tuple[str, Mapping[str, bytes]]]:
        """See `StateStore.scan`."""
        for key, fields in list(self._rows.items()):
            if key.startswith(prefix):
                yield key, fields

    async def clear(self) -> None:
        """See `StateStore.clear`."""
        self._rows.clear()
        self._values.clear()
