"""Where the projector keeps rows and marks: the interface, and the one in memory for replays and tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from loopwright.featurespec.hashing import state_hash
from loopwright.projector.swap import StoreEmptied, Swap

USER_PREFIX, ITEM_PREFIX = "user:", "item:"


@dataclass(frozen=True, slots=True)
class Write:
    """What is written in one step for one logical partition, by key.

    Attributes:
        rows: Hash fields.
        values: Plain values.
        renewed: Plain values that are written only where the key is there, which it is unless the store was emptied.
    """

    rows: dict[str, dict[str, bytes]] = field(default_factory=dict)
    values: dict[str, bytes] = field(default_factory=dict)
    renewed: dict[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Hashes:
    """Hashes over all user rows and all item rows, with their numbers."""

    users: str
    items: str
    user_rows: int
    item_rows: int


class StageStore(Protocol):
    """What a stage needs of a store; every method may raise FeatureStoreDown or FeatureStoreTimeout."""

    async def rows(self, keys: Sequence[str], groups: Sequence[str]) -> list[dict[str, bytes]]:
        """Return the fields of each row that exist."""
        ...

    async def values(self, keys: Sequence[str]) -> list[bytes | None]:
        """Return plain values, None where there is none."""
        ...

    async def commit(self, writes: Sequence[Write]) -> None:
        """Write each `Write` atomically; one that fails leaves the others possibly written."""
        ...


class StateStore(Protocol):
    """Rows and marks of one namespace; every method may raise FeatureStoreDown or FeatureStoreTimeout."""

    async def rows(self, keys: Sequence[str], groups: Sequence[str]) -> list[dict[str, bytes]]:
        """Return the fields of each row that exist."""
        ...

    async def values(self, keys: Sequence[str]) -> list[bytes | None]:
        """Return plain values, None where there is none."""
        ...

    async def commit(self, writes: Sequence[Write], swap: Swap | None = None) -> None:
        """Write each `Write` atomically; one that fails leaves the others possibly written.

        With a swap nothing is written unless its fence holds what it must, nor to a server that was started since that
        was seen; the fence is moved last, and only where it is there.

        Raises:
            StoreEmptied: The fence, or a value to be renewed, is not there.
            StoreRolledBack: The fence holds something else.
        """
        ...

    async def delete(self, key: str) -> None:
        """Remove a plain value."""
        ...

    def scan(self, prefix: str) -> AsyncIterator[tuple[str, Mapping[str, bytes]]]:
        """Yield every row whose key begins so, in any order."""
        ...

    async def clear(self, prefixes: Sequence[str] = ("",)) -> None:
        """Remove every key that begins so, one prefix after the other; by default everything in the namespace."""
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

    async def commit(self, writes: Sequence[Write], swap: Swap | None = None) -> None:
        """See `StateStore.commit`."""
        if swap is not None:
            swap.check(self._values.get(swap.key))
        moved = {} if swap is None else {swap.key: swap.new}
        self._write([*writes, Write(renewed=moved)])

    def _write(self, writes: Sequence[Write]) -> None:
        for write in writes:
            for key, fields in write.rows.items():
                self._rows.setdefault(key, {}).update(fields)
            self._values.update(write.values)
            present = {key: value for key, value in write.renewed.items() if key in self._values}
            self._values.update(present)
            if len(present) < len(write.renewed):
                raise StoreEmptied()

    async def delete(self, key: str) -> None:
        """See `StateStore.delete`."""
        self._values.pop(key, None)

    async def scan(self, prefix: str) -> AsyncIterator[tuple[str, Mapping[str, bytes]]]:
        """See `StateStore.scan`."""
        for key, fields in list(self._rows.items()):
            if key.startswith(prefix):
                yield key, fields

    async def clear(self, prefixes: Sequence[str] = ("",)) -> None:
        """See `StateStore.clear`."""
        for kept in (self._rows, self._values):
            for key in [key for key in kept if key.startswith(tuple(prefixes))]:
                del kept[key]
