"""Holds a slate whose funnel is not on record to the bundle, the seed and its own rows.

What follows from these is derived again: the order and length of the slate, utility, the rate and the draw of the
randomised slice, the explore slot, schemes, propensities from (ρ, n, m, s, L), the order of ranks and the mutations.
What only the other candidates could tell is not claimed:

- that none of them ranked higher, should have passed the cut, or was liked better by diversity;
- that n were eligible and m open to the explore slot, beyond what length, ranks, caps and propensities leave possible;
- which of the m the seed draws for the explore slot;
- who was held back by a cap, and by which of two that were full;
- in the slice, what would have stood there otherwise: the order of ids is held to the draw, a propensity only to the
  values it can have.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

import numpy as np

from loopwright.bundle import PolicyBundle
from loopwright.domain.enums import DegradationReason, DropReason, Exploration, MutationKind, Scheme
from loopwright.faults import Fault
from loopwright.localmesh.links import Link, equal
from loopwright.localmesh.verify_mutations import Retelling
from loopwright.pipeline.plan import RETRIEVAL_HEAD
from loopwright.pipeline.record import CandidateTable, DecisionRecord
from loopwright.pipeline.types import F32, F64, U8, Mutation, SlateQuery
from loopwright.policy.slate.constraints import CAPS, draw_slice, explore_position, slice_rate
from loopwright.policy.slate.plan import UNFILLED, Plan, barred_by
from loopwright.policy.slate.pool import Pool, make_pool
from loopwright.policy.slate.propensity import of_slate, position_matrix, shown

_UNSCORED = frozenset({"pre_scores", "heads"})
"""Columns that have no rows when no ranker scored."""


def slate_query(record: DecisionRecord, rows: CandidateTable, heads: F32) -> SlateQuery:
    """Return what policy was asked, over these rows."""
    return SlateQuery(
        policy_version=record.versions.policy_version,
        k=record.request.k,
        seed=record.seed,
        exploration=record.request.exploration,
        item_ids=rows.item_ids,
        heads=heads,
        head_names=record.head_names,
        creator_ids=rows.creator_ids,
        first_tag_ids=rows.first_tag_ids,
        eligibility=rows.eligibility,
        guards=rows.guards,
        content=rows.content,
    )


def short_slate_link(record: DecisionRecord) -> Link:
    """Hold the note of a short slate to the length that was asked for."""
    said = any(d.reason is DegradationReason.SHORT_SLATE for d in record.degradations)
    return Link("length", said == (len(record.slate) < record.request.k), "short without a note, or noted as short")


def slate_only_links(record: DecisionRecord, bundle: PolicyBundle) -> Iterator[Link]:
    """Yield the links of a slate that policy decided, from its own rows."""
    rows, recorded = record.slate_candidates, record.slate
    yield short_slate_link(record)
    ids = [place.item_id for place in recorded]
    if ids != rows.item_ids.tolist() or not _even(rows):
        yield Link("slate", False, "the positions are not those of the recorded rows")
        return
    unscored = record.head_names == (RETRIEVAL_HEAD,)
    query = slate_query(record, rows, rows.fused_scores.reshape(-1, 1) if unscored else rows.heads)
    barred = barred_by(bundle, query)
    try:
        pool, utility = make_pool(bundle, query, barred)
    except Fault as fault:
        yield Link("slate", False, f"the recorded rows allow no slate: {fault}")
        return
    yield equal("utility", utility.tolist(), rows.utility.tolist())
    kept = [int(DropReason.KEPT)] * len(ids)
    yield Link("drop_reasons", barred.tolist() == kept == rows.drop_reasons.tolist(), "the slate holds what is barred")
    if len(pool) != len(ids):
        return
    numbers, slot = record.propensity, explore_position(bundle, query, len(ids))
    possible = numbers.rho == slice_rate(bundle, query) and _numbers_fit(record, bundle, slot)
    yield Link("propensity", possible, "not the bundle's, or impossible for a slate of this length")
    if not possible:
        return
    drawn = draw_slice(record.seed, numbers.rho, numbers.n, len(ids))
    in_order = drawn is None or np.argsort(drawn).tolist() == np.argsort(rows.item_ids).tolist()
    yield Link("slate", in_order, "the seed draws another order of ids")
    yield equal("scheme", _schemes(record, drawn is not None), [int(place.scheme) for place in recorded])
    support = [(numbers.rho > 0, 0.0)] * len(ids)
    yield equal("support", support, [(place.support, place.propensity_error) for place in recorded])
    yield from _propensity_links(record, _stand_in(record, pool, utility, barred), drawn is not None)
    yield from _rank_links(record, bundle, pool, slot, drawn is not None)


def _even(rows: CandidateTable) -> bool:
    lengths = {f.name: len(getattr(rows, f.name)) for f in fields(rows)}
    return all(length == len(rows) or (not length and name in _UNSCORED) for name, length in lengths.items())


def _numbers_fit(record: DecisionRecord, bundle: PolicyBundle, slot: int) -> bool:
    """Say whether n, m and s are possible for a slate of this length under the bundle."""
    numbers, length = record.propensity, len(record.slate)
    capped = any(cap.limit(bundle) for cap in CAPS)
    beside = numbers.n - length + 1
    if length != min(record.request.k, numbers.n) or numbers.n > bundle.ranking.best_n:
        return False
    if not numbers.s:
        return numbers.m == 0 and (not slot or capped)  # caps alone leave nobody for the slot
    return numbers.s == slot and (1 <= numbers.m <= beside if capped else numbers.m == beside)


def _schemes(record: DecisionRecord, sliced: bool) -> list[int]:
    length, slot = len(record.slate), record.propensity.s
    if sliced:
        return [int(Scheme.SLICE)] * length
    ranked = Scheme.NONE if record.request.exploration == Exploration.OFF else Scheme.RANKED
    return [int(Scheme.EXPLORE if place == slot else ranked) for place in range(1, length + 1)]


def _stand_in(record: DecisionRecord, pool: Pool, utility: F64, barred: U8) -> Plan:
    """Return a plan with the recorded numbers, for policy's propensities: these ask it for nothing else.

    Its first L entries are the slate; entries after them stand for the others, of whom only the number is known.
    """
    numbers, length = record.propensity, len(record.slate)
    listed = np.arange(length, dtype=np.int64)
    explorable = np.empty(0, dtype=np.int64)
    if numbers.s:
        listed[numbers.s - 1] = UNFILLED
        explorable = np.array([numbers.s - 1, *range(length, length + numbers.m - 1)], dtype=np.int64)
    random = record.request.exploration != Exploration.OFF
    return Plan(pool, utility, barred, listed, explorable, numbers, random, (), {})


def _propensity_links(record: DecisionRecord, plan: Plan, sliced: bool) -> Iterator[Link]:
    recorded = [(place.p_shown, place.p_position) for place in record.slate]
    if not sliced:
        p_shown, p_position = of_slate(plan, np.arange(len(recorded), dtype=np.int64))
        yield equal("p_shown", p_shown.tolist(), [p for p, _ in recorded])
        yield equal("p_position", p_position.tolist(), [p for _, p in recorded])
        return
    anywhere = shown(plan, np.arange(plan.numbers.n, dtype=np.int64)).tolist()
    matrix = position_matrix(plan)
    here = [list(zip(anywhere, matrix[:, place].tolist(), strict=True)) for place in range(len(recorded))]
    detail = "not among the values that an item of the slice can have"
    pairs = list(zip(recorded, here, strict=True))
    yield Link("p_position", all(p[1] in {one for _, one in values} for p, values in pairs), detail)
    yield Link("p_shown", all(p in set(values) for p, values in pairs), detail)


def _rank_links(
    record: DecisionRecord, bundle: PolicyBundle, pool: Pool, slot: int, sliced: bool
) -> Iterator[Link]:  # fmt: skip
    ranks = [place.pre_swap_rank for place in record.slate]
    possible = len(set(ranks)) == len(ranks) and all(1 <= rank <= record.propensity.n for rank in ranks)
    ordered = np.argsort(ranks).tolist() == pool.rows[pool.by_rank].tolist()
    yield Link("pre_swap_rank", possible and ordered, "ranks are not in the order of utility, or impossible")
    if sliced:
        want = tuple(
            Mutation(MutationKind.SLICE, place.item_id, place.pre_swap_rank, number)
            for number, place in enumerate(record.slate, 1)
        )
        yield equal("mutations", want, record.mutations)
        return
    told = Retelling(record, bundle, pool).holds(slot)
    yield Link("mutations", told, "they do not tell how this slate came out of its ranks")
