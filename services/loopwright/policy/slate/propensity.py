"""Propensities: the marginal probabilities of being shown and of a position, over everything the seed decides.

p_position(i, q) = (1 - ρ) · (q = s ? [i in A] / m : [D_q = i]) + ρ / n, and p_shown(i) its sum over q.
"""

from __future__ import annotations

import numpy as np

from loopwright.bundle import PolicyBundle
from loopwright.pipeline.types import F64, SlateQuery
from loopwright.policy.slate.plan import Plan, make_plan
from loopwright.policy.slate.pool import I64


def position_matrix(plan: Plan) -> F64:
    """Return float64 [n, L]: p_position of every eligible candidate, in pool order, at every position."""
    numbers, length = plan.numbers, len(plan.listed)
    matrix = np.zeros((numbers.n, length), dtype=np.float64)
    if not length:
        return matrix
    fixed = [place for place in range(length) if place + 1 != numbers.s]
    matrix[plan.listed[fixed], fixed] = 1.0
    if numbers.s:
        matrix[plan.explorable, numbers.s - 1] = 1.0 / numbers.m
    return (1.0 - numbers.rho) * matrix + numbers.rho / numbers.n


def of_slate(plan: Plan, chosen: I64) -> tuple[F64, F64]:
    """Return p_shown and p_position, float64 [L] each, of the items of a slate.

    Args:
        plan: The plan the slate was drawn under.
        chosen: int64 [L], pool indices in slate order.
    """
    numbers = plan.numbers
    share = (plan.listed == chosen).astype(np.float64)
    if numbers.s:
        drawn = bool((plan.explorable == chosen[numbers.s - 1]).any())
        share[numbers.s - 1] = 1.0 / numbers.m if drawn else 0.0
    return shown(plan, chosen), (1.0 - numbers.rho) * share + numbers.rho / max(1, numbers.n)


def shown(plan: Plan, entries: I64) -> F64:
    """Return p_shown, float64, of pool entries: the sum over positions in closed form."""
    numbers, length = plan.numbers, len(plan.listed)
    if not length:
        return np.zeros(len(entries), dtype=np.float64)
    share = np.zeros(numbers.n, dtype=np.float64)
    share[plan.listed[plan.listed >= 0]] = 1.0
    if numbers.s:
        share[plan.explorable] = 1.0 / numbers.m
    values: F64 = (1.0 - numbers.rho) * share + numbers.rho * length / numbers.n
    return np.minimum(values, 1.0)[entries]


def propensities(bundle: PolicyBundle, query: SlateQuery) -> tuple[F64, F64]:
    """Return p_shown float64 [N] and p_position float64 [N, L] of all candidates, in the query's order.

    Candidates that can never be shown have 0. The sum of p_shown is L; each column of p_position sums to 1.
    """
    plan = make_plan(bundle, query)
    p_shown = np.zeros(len(query.item_ids), dtype=np.float64)
    p_position = np.zeros((len(query.item_ids), len(plan.listed)), dtype=np.float64)
    p_shown[plan.pool.rows] = shown(plan, np.arange(plan.numbers.n))
    p_position[plan.pool.rows] = position_matrix(plan)
    return p_shown, p_position
