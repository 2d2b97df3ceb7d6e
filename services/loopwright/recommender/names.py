"""External ids of recorded candidates: the log keeps inner ids, hydration owns the names."""

from __future__ import annotations

import numpy as np

from loopwright.lifecycle import MeshClock
from loopwright.pipeline.stages import ItemColumnStage
from loopwright.pipeline.types import U64, CrossContext, ItemQuery
from loopwright.rpc import Deadline

_NOBODY = CrossContext(
    taste=np.zeros(0, np.float32),
    tag_ids=np.zeros(0, np.uint64),
    tag_weights=np.zeros(0, np.float32),
    creator_ids=np.zeros(0, np.uint64),
    creator_weights=np.zeros(0, np.float32),
    statistics=np.zeros(0, np.float32),
    locale="",
)


class ItemNames:
    """Asks hydration for external ids only."""

    def __init__(self, items: ItemColumnStage, clock: MeshClock) -> None:
        """Take the hydration stage and the mesh clock."""
        self._items = items
        self._clock = clock

    async def external_ids(self, ids: U64, policy_version: str, deadline: Deadline) -> tuple[str, ...]:
        """Return the external id of each recorded candidate, in the record's order."""
        query = ItemQuery(policy_version, ids, self._clock.now_ms(), (), _NOBODY)
        return tuple((await self._items.item_columns(query, deadline)).external_ids)
