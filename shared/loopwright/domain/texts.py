"""Many short texts, of which few are read: hydration names all candidates, and the answer says the names of a slate."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from loopwright.domain.vectors import U32


class Texts(Sequence[str]):
    """Texts that are decoded when asked for; equal to any sequence of equal texts."""

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]  # equal to tuples, whose hash it does not have

    @abstractmethod
    def packed(self) -> PackedTexts:
        """Return them as one run of bytes."""

    @abstractmethod
    def _encoded(self, place: int) -> bytes:
        """Return the UTF-8 bytes of one text."""

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[str, ...]: ...
    def __getitem__(self, index: int | slice) -> str | tuple[str, ...]:
        if isinstance(index, slice):
            return tuple(self[place] for place in range(*index.indices(len(self))))
        place = range(len(self))[index]  # counts from the end, and refuses what is outside
        return self._encoded(place).decode()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __repr__(self) -> str:
        return f"{type(self).__name__}{tuple(self)!r}"


class PackedTexts(Texts):
    """Texts as one run of bytes, as the wire carries them.

    Attributes:
        data: The UTF-8 bytes of all texts, one after the other.
        offsets: uint32 [n + 1], where each text begins; the last is the length of `data`.
    """

    __slots__ = ("data", "offsets")

    def __init__(self, data: bytes, offsets: U32) -> None:
        """Take bytes and offsets that fit together; `texts_of` makes them."""
        self.data = data
        self.offsets = offsets

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def packed(self) -> PackedTexts:
        """Return itself."""
        return self

    def _encoded(self, place: int) -> bytes:
        return self.data[self.offsets[place] : self.offsets[place + 1]]


class ChosenTexts(Texts):
    """Texts of some rows of a column; whoever holds it sees later changes of the column."""

    __slots__ = ("_column", "_rows")

    def __init__(self, column: NDArray[Any], rows: NDArray[np.int64]) -> None:
        """Take a column of UTF-8 bytes and rows int64 [n] of it; -1 is the empty text."""
        self._column = column
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def packed(self) -> PackedTexts:
        """Return a copy."""
        if not len(self._column):
            return texts_of([b""] * len(self))
        parts, unknown = self._column.take(self._rows), self._rows < 0
        if unknown.any():
            parts[unknown] = b""
        return texts_of(parts.tolist())

    def _encoded(self, place: int) -> bytes:
        row = self._rows[place]
        return bytes(self._column[row]) if row >= 0 else b""


def texts_of(parts: Iterable[bytes]) -> PackedTexts:
    """Return the texts of these UTF-8 bytes."""
    parts = parts if isinstance(parts, list) else list(parts)
    offsets = np.zeros(len(parts) + 1, dtype=np.uint32)
    np.cumsum(np.fromiter(map(len, parts), np.uint32, len(parts)), out=offsets[1:])
    return PackedTexts(b"".join(parts), offsets)
