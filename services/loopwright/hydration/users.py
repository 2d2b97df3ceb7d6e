"""The user's side: row, guards, history and columns as of the query's time, degraded to defaults without the store."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from loopwright.domain.enums import DegradationReason, Mask, Stage
from loopwright.faults import CorruptRecord, FeatureStoreDown, FeatureStoreTimeout
from loopwright.featurespec.columns import cross_context, profile_of, user_columns
from loopwright.featurespec.groups import USER_STATE_GROUPS, Entity, Group
from loopwright.featurespec.table import ItemTable
from loopwright.featurespec.users import EMPTY_USER, UserState, guards_of, history_of, read_user
from loopwright.hydration.asked import asked_groups
from loopwright.hydration.lag import STAGES, Progress
from loopwright.hydration.rows import RowStore, UserRow
from loopwright.pipeline.types import Degradation, UserContext, UserQuery
from loopwright.rpc import Deadline
from loopwright.telemetry import get_logger

_LOG = get_logger(__name__)
_USER = frozenset({Entity.USER})

USER_ROWS = "user_rows"
"""Subject of the degradation when the user's row could not be read."""


class UserSide:
    """Answers for users."""

    def __init__(self, rows: RowStore, table: ItemTable, progress: Progress) -> None:
        """Take the rows, the mirror's table (tastes and crosses read items) and the projector's progress."""
        self._rows = rows
        self._table = table
        self._progress = progress

    async def context(self, query: UserQuery, deadline: Deadline) -> UserContext:
        """Return all the request path knows of the user.

        Raises:
            InvalidRequest: A group is unknown or not of users.
        """
        groups = asked_groups(query.groups, _USER)
        row, degradations = await self._row(query, deadline)
        state, unreadable = _state(row.states)
        degradations += unreadable
        answered = not degradations
        profile = profile_of(state, self._table, query.now_ms)
        block = user_columns(state, self._table, query.now_ms, query.groups, profile)
        mask = block.mask if answered else np.full(len(groups), Mask.NOT_ANSWERED, dtype=np.uint8)
        guards = guards_of(state, query.now_ms, query.seen_days)
        return UserContext(
            columns=block.columns,
            group_ages_s=block.ages_s,
            group_mask=mask,
            history=history_of(state, query.now_ms),
            cross=cross_context(state, self._table, query.now_ms, profile),
            acted=guards.acted,
            viewed=guards.viewed,
            blocked_items=guards.blocked_items,
            blocked_creators=guards.blocked_creators,
            recent=row.recent,
            stored_answer=row.stored_answer,
            degradations=(*degradations, *self._departures(groups, answered)),
        )

    async def _row(self, query: UserQuery, deadline: Deadline) -> tuple[UserRow, list[Degradation]]:
        try:
            row = await self._rows.user(
                query.subject,
                read_recent=query.read_recent,
                request_id=query.request_id,
                stages=STAGES,
                deadline=deadline,
            )
        except FeatureStoreTimeout:
            return UserRow(), [Degradation(Stage.HYDRATE_USER, DegradationReason.TIMEOUT, USER_ROWS)]
        except FeatureStoreDown:
            return UserRow(), [Degradation(Stage.HYDRATE_USER, DegradationReason.UNAVAILABLE, USER_ROWS)]
        self._progress.note(row.progress_ms)
        return row, []

    def _departures(self, groups: list[Group], answered: bool) -> list[Degradation]:
        if answered:
            return self._progress.stale(Stage.HYDRATE_USER, groups)
        return [Degradation(Stage.HYDRATE_USER, DegradationReason.NOT_ANSWERED, group.name) for group in groups]


def _state(states: Mapping[str, bytes]) -> tuple[UserState, list[Degradation]]:
    history, activity = (states.get(group) for group in USER_STATE_GROUPS)
    try:
        return read_user(history, activity), []
    except CorruptRecord:  # a projection can be rebuilt; until then its user is served as a new one
        _LOG.exception("a user row is unreadable; rebuild the projection")
        return EMPTY_USER, [Degradation(Stage.HYDRATE_USER, DegradationReason.UNAVAILABLE, USER_ROWS)]
