"""A decision's record read for people: who proposed a candidate, what was dropped and why, features by group; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from loopwright.cli.clients import Explained
from loopwright.domain.enums import DropReason, Mask, Source
from loopwright.featurespec.groups import column_names, group
from loopwright.pipeline.record import CandidateTable, DecisionRecord

NO_AGE = 0xFFFFFFFF
"""Age of a group whose facts are absent."""


@dataclass(frozen=True, slots=True)
class Credit:
    """One source that proposed a candidate, with the candidate's rank and score there."""

    source: str
    rank: int
    score: float


@dataclass(frozen=True, slots=True)
class GroupValues:
    """One feature group of one user or item; `age_s` is None where it has none."""

    group: str
    mask: str
    age_s: int | None
    columns: Mapping[str, float]


def table_of(record: DecisionRecord) -> CandidateTable:
    """Return the widest table on record: every candidate, else the slate's rows."""
    return record.slate_candidates if record.candidates is None else record.candidates


def names_of(explained: Explained) -> dict[int, str]:
    """Return item id -> external id, as far as the record's candidates have one."""
    ids = table_of(explained.record).item_ids.tolist()
    return {item: name for item, name in zip(ids, explained.item_ids, strict=False) if name}


def credits_of(record: DecisionRecord, table: CandidateTable, row: int) -> list[Credit]:
    """Return every source that proposed the candidate, in the order of the plan."""
    return [
        Credit(Source(report.source).name.lower(), int(rank), float(score))
        for report, rank, score in zip(
            record.sources, table.source_ranks[row], table.source_scores[row], strict=True
        )
        if rank
    ]  # fmt: skip


def drops_of(table: CandidateTable) -> dict[str, int]:
    """Return drop reason -> number of candidates, in the order of the path; KEPT is the slate."""
    counts = Counter(table.drop_reasons.tolist())
    return {reason.name: counts[reason] for reason in DropReason if counts[reason]}


def user_features(record: DecisionRecord) -> list[GroupValues]:
    """Return the user's groups."""
    return list(
        _groups(record.user_groups, record.user_columns, record.user_group_mask, record.user_group_ages_s)
    )  # fmt: skip


def item_features(record: DecisionRecord, table: CandidateTable, row: int) -> list[GroupValues]:
    """Return the item and cross groups of a candidate."""
    columns, mask, ages = table.item_columns[row], table.group_mask[row], table.group_ages_s[row]
    return list(_groups(record.item_groups, columns, mask, ages))


def _groups(groups: tuple[str, ...], columns: np.ndarray, mask: np.ndarray, ages: np.ndarray) -> Iterator[GroupValues]:
    """Columns of no width, as on record when hydration was lost, have no values."""
    start = 0
    for place, name in enumerate(groups):
        stop = start + group(name).width
        values = dict(zip(column_names([name]), columns[start:stop].tolist(), strict=True)) if len(columns) else {}
        age = int(ages[place])
        yield GroupValues(name, Mask(int(mask[place])).name, None if age == NO_AGE else age, values)
        start = stop


def cut_count(record: DecisionRecord) -> int | None:
    """Return how many candidates the pre-rank cut kept; None when only the slate is on record."""
    if record.candidates is None:
        return None
    return int((record.candidates.drop_reasons != DropReason.CUT).sum())


def scores_of(record: DecisionRecord, table: CandidateTable, row: int) -> dict[str, float]:
    """Return the fused score, the pre-rank score and every head's score of a candidate, by name."""
    found = {"fused": float(table.fused_scores[row])}
    if len(table.pre_scores):
        found["pre_rank"] = float(table.pre_scores[row])
    if len(table.heads):
        found |= {name: float(score) for name, score in zip(record.head_names, table.heads[row], strict=True)}
    return found
