"""`make_plan`: everything about a decision that its seed does not decide; draws and propensities follow from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loopwright.bundle import PolicyBundle
from loopwright.domain.enums import DropReason, Exploration, MutationKind
from loopwright.pipeline.types import F64, U8, Mutation, Propensity, SlateQuery
from loopwright.policy.slate.constraints import BARS, Diversity, explore_position, slice_rate
from loopwright.policy.slate.draft import Draft
from loopwright.policy.slate.pool import I64, Pool, make_pool

UNFILLED = -1
"""Marks the explore slot in `Plan.listed`."""


@dataclass(frozen=True, slots=True)
class Plan:
    """E, D, A and the numbers of "How a slate is decided" in policy's README, before any draw.

    Attributes:
        pool: E, the n eligible in ascending item id.
        utility: float64 [N] of all candidates.
        barred: uint8 [N], drop reasons of the ineligible, else 0.
        listed: int64 [L], D as pool indices by slate position; `UNFILLED` at the explore slot.
        explorable: int64 [m], A as pool indices, ascending; empty without an explore slot.
        numbers: ρ, n, m, s.
        random: False when the request allows no exploration: every item then has scheme NONE.
        mutations: what made D differ from the order by utility.
        held: pool index -> drop reason of those that a cap held back.
    """

    pool: Pool
    utility: F64
    barred: U8
    listed: I64
    explorable: I64
    numbers: Propensity
    random: bool
    mutations: tuple[Mutation, ...]
    held: dict[int, int]


def make_plan(bundle: PolicyBundle, query: SlateQuery) -> Plan:
    """Return the plan of a query; a pure function of bundle and query, its seed left aside.

    A slate has min(k, n) places whatever the caps say: when they leave none to choose from although eligible
    candidates remain, caps are lifted in order of utility, each time with a CAP_LIFTED mutation. When nobody
    passes the caps beside D, the explore slot is filled that way too and there is no draw (m = s = 0).

    Raises:
        InvalidRequest: The query contradicts itself.
        OutputNotFinite: A head score or content vector is not finite.
    """
    barred = barred_by(bundle, query)
    pool, utility = make_pool(bundle, query, barred)
    length = min(query.k, len(pool))
    slot = explore_position(bundle, query, length)
    draft = Draft(bundle, pool)
    positions = [position for position in range(1, length + 1) if position != slot]
    _fill(bundle, pool, draft, positions)
    listed = np.full(length, UNFILLED, dtype=np.int64)
    listed[[position - 1 for position in positions]] = draft.chosen
    explorable = np.flatnonzero(~draft.closed) if slot else np.empty(0, dtype=np.int64)
    if slot and not len(explorable):
        listed[slot - 1] = _lift(draft, slot)
        slot = 0
    return Plan(
        pool=pool,
        utility=utility,
        barred=barred,
        listed=listed,
        explorable=explorable,
        numbers=Propensity(slice_rate(bundle, query), len(pool), len(explorable), slot),
        random=query.exploration != Exploration.OFF,
        mutations=tuple(draft.mutations),
        held=draft.held,
    )


def barred_by(bundle: PolicyBundle, query: SlateQuery) -> U8:
    """Return uint8 [N]: the drop reason of each candidate that some bar keeps out, 0 elsewhere."""
    reasons = np.zeros(len(query.item_ids), dtype=np.uint8)
    for bar in BARS:
        reasons = np.where(reasons == DropReason.KEPT, bar(bundle, query), reasons)
    return reasons


def _fill(bundle: PolicyBundle, pool: Pool, draft: Draft, positions: list[int]) -> None:
    diversity = Diversity(bundle, pool)
    for position in positions:
        leader = draft.leader()
        if leader is None:
            _lift(draft, position)
            continue
        index = diversity.choose(draft.closed)
        if index != leader:
            draft.note(MutationKind.DIVERSITY, index, position)
        draft.take(index)
        diversity.chose(index)


def _lift(draft: Draft, position: int) -> int:
    index = draft.lifted()
    draft.note(MutationKind.CAP_LIFTED, index, position)
    draft.take(index)
    return index
