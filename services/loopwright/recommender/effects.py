"""Best-effort effects of a slate; the pipeline applies them beside the append of the record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from loopwright.domain.enums import Purpose
from loopwright.domain.ids import item_id
from loopwright.pipeline.answer import Answer
from loopwright.pipeline.plan import Plan
from loopwright.rpc import Deadline


class RecentGuard(Protocol):
    """Keeps what a user was served from being served again within ten minutes."""

    async def remember(self, subject: bytes, item_ids: Sequence[int], purpose: Purpose, deadline: Deadline) -> None:
        """Guard the items of a slate.

        Raises:
            Fault: They could not be guarded.
        """
        ...


class RememberRecent:
    """Guards a served slate's items."""

    def __init__(self, recent: RecentGuard) -> None:
        """Take exposure's memory."""
        self._recent = recent

    async def apply(self, plan: Plan, answer: Answer, deadline: Deadline) -> None:
        """Have the slate remembered; only what a person will see is."""
        if plan.request.purpose is Purpose.SERVE:
            ids = [item_id(item.external_id) for item in answer.items]
            await self._recent.remember(plan.request.subject, ids, plan.request.purpose, deadline)
