"""Proposals of the sources in, one list out: fused order, with each source's rank and score kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loopwright.domain.vectors import F32, U64
from loopwright.featurespec.fusion import fused_scores
from loopwright.pipeline.types import SourcePlan
from loopwright.retrieval.query import Proposal
from loopwright.retrieval.selection import best

U16 = NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class Merged:
    """Candidates, best first: ids [n], fused float32 [n]; by source ranks uint16 [n, S] (0: not) and scores [n, S]."""

    item_ids: U64
    fused: F32
    ranks: U16
    scores: F32


def merge(plans: Sequence[SourcePlan], proposals: Sequence[Proposal], max_candidates: int) -> Merged:
    """Return the best candidates of all sources by weighted reciprocal rank fusion, ties by item id.

    Args:
        plans: The planned sources, in column order.
        proposals: What each proposed, in the same order.
        max_candidates: Candidates kept.
    """
    filled = [proposal.item_ids for proposal in proposals if len(proposal.item_ids)]
    if len(filled) == 1:  # a source proposes no item twice
        item_ids, places = filled[0], np.arange(len(filled[0]))
    else:
        item_ids, places = np.unique(np.concatenate([np.zeros(0, np.uint64), *filled]), return_inverse=True)
    n = len(item_ids)
    ranks = np.zeros((n, len(plans)), dtype=np.uint16)
    scores = np.zeros((n, len(plans)), dtype=np.float32)
    parts = np.split(places, np.cumsum([len(proposal.item_ids) for proposal in proposals]))
    for column, (proposal, rows) in enumerate(zip(proposals, parts[:-1], strict=True)):
        ranks[rows, column] = np.arange(1, len(rows) + 1)
        scores[rows, column] = proposal.scores
    fused = fused_scores(ranks, [plan.weight for plan in plans])
    kept = best(item_ids, fused, max_candidates)
    return Merged(item_ids[kept], fused[kept], ranks[kept], scores[kept])
