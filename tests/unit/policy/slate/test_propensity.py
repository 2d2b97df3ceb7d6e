"""Recorded propensities are the frequencies of the policy stage's draws: 20 contexts, 1,000 seeds each, three rates."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import chi2
from tests.unit.policy.slate.conftest import bundle_of, falling, query_of, random_query

from loopwright.pipeline.types import SlateQuery
from loopwright.policy.slate import Plan, decide, draw, make_plan, propensities
from loopwright.policy.slate.propensity import position_matrix, shown

CONTEXTS = 20
SEEDS = 1000
ALPHA = 0.001
SMALLEST_CELL = 5.0
TOLERANCE = 1e-6


@dataclass
class Context:
    query: SlateQuery
    plan: Plan
    seeds: range


Recorded = tuple[NDArray[np.float64], NDArray[np.float64]]


def contexts(rho: float) -> list[Context]:
    rng = np.random.default_rng(7)
    bundle = bundle_of(rho=rho, slot=5, creator_cap=2, topic_cap=4, mmr_lambda=0.8)
    found = []
    for number in range(CONTEXTS):
        query = random_query(number, n=int(rng.integers(30, 61)), k=int(rng.integers(8, 13)))
        found.append(Context(query, make_plan(bundle, query), range(number * SEEDS, (number + 1) * SEEDS)))
    return found


def drawn(plan: Plan, seeds: range) -> NDArray[np.int64]:
    """Return [N, L]: how often each candidate of the query stood at each position."""
    counts = np.zeros((len(plan.utility), len(plan.listed)), dtype=np.int64)
    for seed in seeds:
        slate = draw(plan, seed)
        counts[slate.indices, np.arange(len(slate.indices))] += 1
    return counts


def tail(observed: NDArray[np.int64], expected: NDArray[np.float64]) -> float:
    """Return the p-value of one position: chi-square, cells under five expected pooled."""
    large = expected >= SMALLEST_CELL
    cells = [(float(o), float(e)) for o, e in zip(observed[large], expected[large], strict=True)]
    pooled = (float(observed[~large].sum()), float(expected[~large].sum()))
    if pooled[1] >= SMALLEST_CELL or not cells:
        cells.append(pooled)
    else:  # still too small: with the smallest of the others
        cells.sort(key=lambda cell: -cell[1])
        last = cells.pop()
        cells.append((last[0] + pooled[0], last[1] + pooled[1]))
    if len(cells) == 1:
        return 1.0 if cells[0][0] == SEEDS else 0.0
    statistic = sum((o - e) ** 2 / e for o, e in cells)
    return float(chi2.sf(statistic, len(cells) - 1))


def holm_refuses(p_values: list[float]) -> bool:
    """Return whether Holm's step-down procedure refuses any of the hypotheses at ALPHA."""
    return any(p <= ALPHA / (len(p_values) - rank) for rank, p in enumerate(sorted(p_values)))


def faults(counts: list[NDArray[np.int64]], recorded: list[Recorded]) -> list[str]:
    """Return what is wrong with recorded (p_shown [N], p_position [N, L]) given what was drawn."""
    found = []
    p_values = []
    for number, (count, (p_shown, p_position)) in enumerate(zip(counts, recorded, strict=True)):
        length = p_position.shape[1]
        if abs(p_shown.sum() - length) > TOLERANCE:
            found.append(f"context {number}: p_shown sums to {p_shown.sum()}, not {length}")
        if np.abs(p_position.sum(axis=0) - 1.0).max() > TOLERANCE:
            found.append(f"context {number}: p_position does not sum to 1")
        if np.abs(p_position.sum(axis=1) - p_shown).max() > TOLERANCE:
            found.append(f"context {number}: p_shown is not the sum of p_position")
        if count[p_position == 0].any():
            found.append(f"context {number}: drawn with p = 0")
        p_values += [tail(count[:, q], p_position[:, q] * SEEDS) for q in range(length)]
    if holm_refuses(p_values):
        found.append(f"chi-square: smallest p-value {min(p_values)}")
    return found


def recorded_by(plan: Plan) -> Recorded:
    n, length = len(plan.utility), len(plan.listed)
    p_shown, p_position = np.zeros(n), np.zeros((n, length))
    p_shown[plan.pool.rows] = shown(plan, np.arange(plan.numbers.n))
    p_position[plan.pool.rows] = position_matrix(plan)
    return p_shown, p_position


@pytest.mark.parametrize("rho", [0.0, 0.01, 1.0])
def test_items_are_drawn_as_often_as_their_propensities_say(rho: float) -> None:
    made = contexts(rho)
    assert all(context.plan.numbers.m > 0 and context.plan.numbers.s == 5 for context in made)
    assert any(context.plan.numbers.m < context.plan.numbers.n - len(context.plan.listed) + 1 for context in made)
    assert (
        faults(
            [drawn(context.plan, context.seeds) for context in made], [recorded_by(context.plan) for context in made]
        )
        == []
    )


@pytest.mark.parametrize("rho", [0.0, 0.01])
def test_propensities_of_one_nth_instead_of_one_mth_fail_the_same_test(rho: float) -> None:
    made = contexts(rho)
    counts = [drawn(context.plan, context.seeds) for context in made]
    uniform, scaled = [], []
    for context in made:
        plan, (p_shown, p_position) = context.plan, recorded_by(context.plan)
        numbers, column = plan.numbers, p_position.copy()
        column[plan.pool.rows, numbers.s - 1] = 1.0 / numbers.n
        uniform.append((column.sum(axis=1), column))
        less = p_position.copy()
        less[:, numbers.s - 1] *= numbers.m / numbers.n
        scaled.append((p_shown, less))
    assert any(fault.startswith("chi-square") for fault in faults(counts, uniform))
    assert any("does not sum to 1" in fault for fault in faults(counts, scaled))


@pytest.mark.parametrize("rho", [0.0, 0.01])
def test_a_sampler_that_draws_from_all_n_instead_of_the_m_fails_the_same_test(rho: float) -> None:
    made = contexts(rho)
    counts = []
    for context in made:
        numbers = replace(context.plan.numbers, m=context.plan.numbers.n)
        off = replace(context.plan, numbers=numbers, explorable=np.arange(numbers.n))
        counts.append(drawn(off, context.seeds))
    assert any(fault.startswith("chi-square") for fault in faults(counts, [recorded_by(c.plan) for c in made]))


def test_a_slice_drawn_a_little_too_often_fails_the_same_test() -> None:
    made = contexts(0.01)
    counts = [drawn(replace(c.plan, numbers=replace(c.plan.numbers, rho=0.05)), c.seeds) for c in made]
    assert faults(counts, [recorded_by(context.plan) for context in made]) != []


@pytest.mark.parametrize("rho", [0.0, 0.01, 1.0])
def test_a_slate_carries_the_propensities_of_its_items(rho: float) -> None:
    bundle = bundle_of(rho=rho, slot=5, creator_cap=2, topic_cap=4, mmr_lambda=0.8)
    for context in contexts(rho)[:5]:
        p_shown, p_position = propensities(bundle, context.query)
        for seed in range(20):
            slate = decide(bundle, replace(context.query, seed=seed))
            assert slate.p_shown.tolist() == p_shown[slate.indices].tolist()
            places = np.arange(len(slate.indices))
            assert slate.p_position.tolist() == p_position[slate.indices, places].tolist()
            drawn_again = draw(context.plan, seed)
            assert drawn_again.indices.tolist() == slate.indices.tolist()


def test_candidates_that_were_barred_have_no_chance() -> None:
    query = query_of(falling(20), guards=[1, 2] + [0] * 18)
    p_shown, p_position = propensities(bundle_of(rho=0.5), query)
    assert p_shown[:2].tolist() == [0.0, 0.0]
    assert not p_position[:2].any()
    assert (p_shown[2:] > 0).all()


def test_without_candidates_there_is_nothing_to_show() -> None:
    p_shown, p_position = propensities(bundle_of(), query_of([]))
    assert p_shown.shape == (0,)
    assert p_position.shape == (0, 0)
