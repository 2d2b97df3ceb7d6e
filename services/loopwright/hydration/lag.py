"""How far the projections are behind the log, and which feature groups that makes stale."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from loopwright.domain.enums import DegradationReason, Stage
from loopwright.faults import FeatureStoreDown, FeatureStoreTimeout
from loopwright.featurespec.groups import GROUPS, Group
from loopwright.hydration.rows import RowStore
from loopwright.pipeline.types import Degradation
from loopwright.rpc import Deadline
from loopwright.telemetry import get_logger

_LOG = get_logger(__name__)

STAGES = tuple(sorted({stage for group in GROUPS.values() for stage in group.stages}))
"""Every projector stage that some group is derived from."""

FRESH_MS = 250
"""The projector writes its progress at this pace, so reading it oftener tells nothing new."""


class Progress:
    """The newest known progress of the projector's stages; while the store is away, what is known simply ages."""

    def __init__(self, wall_ms: Callable[[], int]) -> None:
        """Take the wall clock."""
        self._wall_ms = wall_ms
        self._known: Mapping[str, int] = {}
        self._asked_at_ms: float = -math.inf

    def note(self, progress_ms: Mapping[str, int]) -> None:
        """Take what the store just said."""
        self._known = dict(progress_ms)
        self._asked_at_ms = self._wall_ms()

    async def refresh(self, rows: RowStore, deadline: Deadline) -> None:
        """Ask the store unless it was asked just now."""
        if self._wall_ms() - self._asked_at_ms < FRESH_MS:
            return
        self._asked_at_ms = self._wall_ms()
        try:
            self.note(await rows.progress(STAGES, deadline))
        except (FeatureStoreDown, FeatureStoreTimeout) as fault:
            _LOG.warning("the projector's progress is unknown", extra={"reason": fault.reason})

    def lag_s(self, group: Group) -> float:
        """Return seconds since the slowest stage of the group had caught up; infinite when one never did."""
        oldest = min((self._known.get(stage, -math.inf) for stage in group.stages), default=self._wall_ms())
        return max(0.0, (self._wall_ms() - oldest) / 1000)

    def stale(self, stage: Stage, groups: Sequence[Group], mirror_lag_s: float = 0.0) -> list[Degradation]:
        """Return a degradation for each group whose lag is above its maximum.

        Args:
            stage: The stage that asks.
            groups: The groups of the request.
            mirror_lag_s: What the in-process mirror adds to the projector's lag.
        """
        return [
            Degradation(stage, DegradationReason.STALE_FEATURES, group.name)
            for group in groups
            if self.lag_s(group) + mirror_lag_s > group.max_lag_s
        ]
