"""What a commit demands of a fence, and the two faults that a store which lost something answers with."""

from __future__ import annotations

from dataclasses import dataclass

from loopwright.faults import DependencyDown


class StoreEmptied(DependencyDown):
    """The store no longer holds what was written to it."""

    reason = "STORE_EMPTIED"


class StoreRolledBack(DependencyDown):
    """The store holds an older state than the one written last."""

    reason = "STORE_ROLLED_BACK"


@dataclass(frozen=True, slots=True)
class Swap:
    """What a commit demands of a fence, and leaves in it.

    Attributes:
        key: The fence.
        expected: What it must hold before the first write; None: anything at all.
        new: What it holds after the last write.
    """

    key: str
    expected: bytes | None
    new: bytes

    def check(self, found: bytes | None) -> None:
        """Judge what the fence held.

        Raises:
            StoreEmptied: Nothing.
            StoreRolledBack: Not what was expected.
        """
        if found is None:
            raise StoreEmptied()
        if self.expected is not None and found != self.expected:
            raise StoreRolledBack()
