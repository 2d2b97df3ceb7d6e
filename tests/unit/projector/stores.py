"""A store in memory that loses things at chosen commits, for the tests of this folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from enum import StrEnum

from loopwright.faults import FeatureStoreDown
from loopwright.projector.store import MemoryStore, Write
from loopwright.projector.swap import Swap


class Loss(StrEnum):
    """What happens at a commit."""

    KEEP = "the state before it is what a later ROLL_BACK comes back to"
    EMPTY = "the store is emptied before it"
    EMPTY_WITHIN = "the store is emptied between the look at the fence and the writes"
    ROLL_BACK = "the server was killed and comes back with the state kept"
    CUT_OFF = "half of it is written, then the connection is gone"


class LossyStore(MemoryStore):
    """Loses what the plan says, by the number of the commit."""

    def __init__(self, plan: Mapping[int, Loss], on_loss: Callable[[LossyStore], None] = lambda store: None) -> None:
        super().__init__()
        self.plan = dict(plan)
        self.commits = 0
        self.happened: list[Loss] = []
        self._on_loss = on_loss
        self._kept = deepcopy((self._rows, self._values))

    def empty(self) -> None:
        """Lose everything, as FLUSHALL does."""
        self._on_loss(self)
        self._rows.clear()
        self._values.clear()

    def keep(self) -> None:
        """Remember this state."""
        self._kept = deepcopy((self._rows, self._values))

    def roll_back(self) -> None:
        """Come back with the state kept, as a server restarted from an older file does."""
        self._rows, self._values = deepcopy(self._kept)

    async def commit(self, writes: Sequence[Write], swap: Swap | None = None) -> None:
        self.commits += 1
        loss = self.plan.get(self.commits)
        if loss is not None:
            self.happened.append(loss)
        if loss is Loss.KEEP:
            self.keep()
        elif loss is Loss.EMPTY:
            self.empty()
        elif loss is Loss.ROLL_BACK:
            self.roll_back()
        if swap is not None:
            swap.check(self._values.get(swap.key))
        moved = [] if swap is None else [Write(renewed={swap.key: swap.new})]
        if loss is Loss.EMPTY_WITHIN:
            self.empty()
        if loss is Loss.CUT_OFF:
            self._write(list(writes)[: len(writes) // 2])
            raise FeatureStoreDown("cut off")
        self._write([*writes, *moved])
