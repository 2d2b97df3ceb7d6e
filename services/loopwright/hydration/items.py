"""The candidates' side: columns, ages, masks and the facts policy needs, from the mirror; the store only on a miss."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from loopwright.domain.enums import DegradationReason, Eligibility, Mask, Stage
from loopwright.domain.vectors import I64, U64, Bools
from loopwright.faults import CorruptRecord, FeatureStoreDown, FeatureStoreTimeout, FieldViolation, InvalidRequest
from loopwright.featurespec.columns import cross_context
from loopwright.featurespec.groups import Entity, Group
from loopwright.featurespec.table import ItemTable
from loopwright.featurespec.users import EMPTY_USER
from loopwright.hydration.asked import asked_groups
from loopwright.hydration.lag import Progress
from loopwright.hydration.rows import ItemState, RowStore
from loopwright.mirror import ItemMirror
from loopwright.pipeline.types import Degradation, ItemColumns, ItemQuery
from loopwright.rpc import Deadline
from loopwright.telemetry import get_logger

_LOG = get_logger(__name__)
T = TypeVar("T", bound=np.generic)
_CANDIDATES = frozenset({Entity.ITEM, Entity.CROSS})

ITEM_ROWS = "item_rows"
"""Subject of the degradation when items that the mirror lacks could not be read."""

MAX_ITEMS = 10_000
"""Most candidates of a request; the largest `max_candidates` of a bundle."""


@dataclass(frozen=True, slots=True)
class _Found:
    """Rows int64 [n] in the table, -1: unknown item; `unanswered` bool [n]: the store was asked in vain."""

    rows: I64
    unanswered: np.ndarray
    degradations: list[Degradation]


class ItemSide:
    """Answers for candidates."""

    def __init__(self, mirror: ItemMirror, rows: RowStore, progress: Progress, wall_ms: Callable[[], int]) -> None:
        """Take the mirror, the rows behind it, the projector's progress and the wall clock."""
        self._mirror = mirror
        self._rows = rows
        self._progress = progress
        self._wall_ms = wall_ms
        empty = cross_context(EMPTY_USER, ItemTable(), 0)
        self._taste_width, self._statistics_width = len(empty.taste), len(empty.statistics)

    async def columns(self, query: ItemQuery, deadline: Deadline) -> ItemColumns:
        """Return the candidates' columns in the query's order.

        Raises:
            InvalidRequest: A group is unknown or of users, the cross context is of another build, or too many items.
        """
        groups = asked_groups(query.groups, _CANDIDATES)
        self._check(query, groups)
        await self._progress.refresh(self._rows, deadline)
        found = await self._find(query.item_ids, groups, deadline)
        table, rows = self._mirror.table, found.rows
        known = rows >= 0
        chosen = None if known.all() else known
        block = self._mirror.candidate_columns(query.cross, rows, query.now_ms, query.groups)
        mask = block.mask
        if found.unanswered.any():
            mask = np.where(found.unanswered[:, None], np.uint8(Mask.NOT_ANSWERED), mask)
        stale = self._progress.stale(Stage.HYDRATE_ITEMS, groups, self._mirror.lag_s(self._wall_ms()))
        return ItemColumns(
            columns=block.columns,
            group_ages_s=block.ages_s,
            group_mask=mask,
            creator_ids=_taken(table.creator_ids, rows, chosen, 0),
            first_tag_ids=_taken(table.first_tag_ids, rows, chosen, 0),
            eligibility=_taken(table.eligibility, rows, chosen, Eligibility.UNKNOWN_ITEM),
            content=_taken(table.content, rows, chosen, 0),
            external_ids=table.external_texts(rows),
            degradations=(*found.degradations, *stale),
        )

    async def _find(self, item_ids: U64, groups: list[Group], deadline: Deadline) -> _Found:
        rows = self._mirror.table.rows_of(item_ids)
        unanswered = np.zeros(len(rows), dtype=np.bool_)
        missing = rows < 0
        if not missing.any():
            return _Found(rows, unanswered, [])
        try:
            self._take(await self._rows.items([int(i) for i in np.unique(item_ids[missing])], deadline))
        except (FeatureStoreDown, FeatureStoreTimeout, CorruptRecord) as fault:
            _LOG.warning("items that the mirror lacks could not be read", extra={"reason": fault.reason})
            late = isinstance(fault, FeatureStoreTimeout)
            reason = DegradationReason.TIMEOUT if late else DegradationReason.UNAVAILABLE
            notes = [Degradation(Stage.HYDRATE_ITEMS, reason, ITEM_ROWS)]
            notes += [Degradation(Stage.HYDRATE_ITEMS, DegradationReason.NOT_ANSWERED, g.name) for g in groups]
            # the mirror may have learned of some while we waited
            rows = self._mirror.table.rows_of(item_ids)
            return _Found(rows, rows < 0, notes)
        return _Found(self._mirror.table.rows_of(item_ids), unanswered, [])

    def _take(self, states: Sequence[ItemState]) -> None:
        """Put stored items into the table that it still lacks: what the mirror learned meanwhile is newer.

        Raises:
            CorruptRecord: Some do not decode; the table has the others.
        """
        table = self._mirror.table
        of_item: dict[int, list[ItemState]] = {}
        for state in states:
            of_item.setdefault(state[0], []).append(state)
        still = table.rows_of(np.fromiter(of_item, np.uint64, len(of_item))) < 0
        new = [theirs for theirs, lacks in zip(of_item.values(), still.tolist(), strict=True) if lacks]
        try:
            table.put_many(chain.from_iterable(new))
        except CorruptRecord:
            for theirs in new:
                with suppress(CorruptRecord):
                    table.put_many(theirs)
            raise

    def _check(self, query: ItemQuery, groups: list[Group]) -> None:
        if len(query.item_ids) > MAX_ITEMS:
            raise _broken("item_ids", f"must be at most {MAX_ITEMS}")
        widths = (len(query.cross.taste), len(query.cross.statistics))
        # Who asks for no crosses, such as for names alone, has no user to ask with.
        crossed = any(group.entity is Entity.CROSS for group in groups)
        if crossed and widths != (self._taste_width, self._statistics_width):
            raise _broken("cross_context", "must be one that this build's GetUserContext made")


def _taken(values: NDArray[T], rows: I64, known: Bools | None, unknown: int) -> NDArray[T]:
    """Return the values of the rows, and `unknown` for items that the table lacks; `known` None: it has all."""
    if known is None:
        return values.take(rows, axis=0)
    taken = np.full((len(rows), *values.shape[1:]), unknown, dtype=values.dtype)
    taken[known] = values[rows[known]]
    return taken


def _broken(field: str, description: str) -> InvalidRequest:
    return InvalidRequest(f"{field}: {description}", violations=[FieldViolation(field, "range", description)])
