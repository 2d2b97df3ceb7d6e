"""`decide(bundle, query) -> Slate`, pure: the seed draws on the plan. `Decider` is the same as a pipeline stage."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from loopwright.bundle import PolicyBundle
from loopwright.domain.enums import DropReason, MutationKind, Scheme
from loopwright.faults import BundleNotLoaded
from loopwright.pipeline.types import U8, Mutation, Slate, SlateQuery
from loopwright.policy.slate.constraints import draw_explore, draw_slice
from loopwright.policy.slate.plan import Plan, make_plan
from loopwright.policy.slate.pool import I64
from loopwright.policy.slate.propensity import of_slate
from loopwright.rpc import Deadline


def decide(bundle: PolicyBundle, query: SlateQuery) -> Slate:
    """Return the slate of a query with its propensities, mutations and drop reasons.

    Pure: the same bundle and query give the same slate, bit for bit, in any order of candidates. Recommender
    and verify both call it. `mutations` tell how the slate came out of the order by utility: whom caps held
    back (position 0), whom diversity preferred to the next by utility, whose cap was lifted, whom the explore
    slot drew; a slate of the slice has one SLICE mutation per position instead.

    Raises:
        InvalidRequest: Columns differ in length, an item stands twice, k is below 1, or a weighted head is missing.
        OutputNotFinite: A head score or content vector is not finite.
    """
    return draw(make_plan(bundle, query), query.seed)


def draw(plan: Plan, seed: int) -> Slate:
    """Return the slate that a seed draws under a plan."""
    numbers, length = plan.numbers, len(plan.listed)
    sliced = draw_slice(seed, numbers.rho, numbers.n, length)
    if sliced is not None:
        chosen = np.array(sliced, dtype=np.int64)
        schemes = np.full(length, Scheme.SLICE, dtype=np.uint8)
        changes = tuple(_mutation(plan, MutationKind.SLICE, chosen, place) for place in range(length))
        return _slate(plan, chosen, schemes, changes, held={})
    chosen = plan.listed.copy()
    schemes = np.full(length, Scheme.RANKED if plan.random else Scheme.NONE, dtype=np.uint8)
    changes = plan.mutations
    if numbers.s:
        place = numbers.s - 1
        chosen[place] = plan.explorable[draw_explore(seed, numbers.m)]
        schemes[place] = Scheme.EXPLORE
        changes = (*changes, _mutation(plan, MutationKind.EXPLORE, chosen, place))
    return _slate(plan, chosen, schemes, changes, plan.held)


class Decider:
    """Policy as a stage of the pipeline; also what the servicer calls."""

    def __init__(self, bundles: Callable[[str], PolicyBundle | None]) -> None:
        """Takes the look-up of published bundles by version, such as `BundleFeed.get`."""
        self._bundles = bundles

    async def decide(self, query: SlateQuery, deadline: Deadline) -> Slate:
        """Return the slate; inline, since it takes less than a millisecond.

        Raises:
            BundleNotLoaded: The query's policy version is not known here.
            DeadlineExceeded: The deadline has passed already.
            InvalidRequest: The query contradicts itself.
            OutputNotFinite: A head score or content vector is not finite.
        """
        deadline.check()
        bundle = self._bundles(query.policy_version)
        if bundle is None:
            raise BundleNotLoaded(metadata={"policy_version": query.policy_version})
        return decide(bundle, query)


def _slate(plan: Plan, chosen: I64, schemes: U8, mutations: tuple[Mutation, ...], held: dict[int, int]) -> Slate:
    pool = plan.pool
    p_shown, p_position = of_slate(plan, chosen)
    drops = plan.barred.copy()
    drops[pool.rows] = DropReason.OUTRANKED
    for index, reason in held.items():
        drops[pool.rows[index]] = reason
    drops[pool.rows[chosen]] = DropReason.KEPT
    return Slate(
        indices=pool.rows[chosen].astype(np.uint32),
        p_shown=p_shown,
        p_position=p_position,
        schemes=schemes,
        pre_swap_ranks=pool.ranks[chosen].astype(np.uint32),
        utility=plan.utility,
        drop_reasons=drops,
        mutations=mutations,
        propensity=plan.numbers,
    )


def _mutation(plan: Plan, kind: MutationKind, chosen: I64, place: int) -> Mutation:
    index = chosen[place]
    return Mutation(kind, int(plan.pool.item_ids[index]), int(plan.pool.ranks[index]), place + 1)
