"""The whole recipe as one function: evidence of a window in, the weights of all models out."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch

from loopwright.bundle import PolicyBundle
from loopwright.domain.vectors import F32, Bools
from loopwright.featurespec.groups import width
from loopwright.featurespec.signals import SIGNALS
from loopwright.featurespec.table import ItemTable
from loopwright.trainer.dataset.examples import Examples, examples, matured, slate_decisions
from loopwright.trainer.dataset.pseudo import pseudo_decisions, split
from loopwright.trainer.dataset.stage1 import Stage1, learn_stage1
from loopwright.trainer.export.models import Weights
from loopwright.trainer.faults import NothingToLearn
from loopwright.trainer.labels.evidence import Evidence
from loopwright.trainer.labels.states import catalogue_table
from loopwright.trainer.learning.network import NetWeights
from loopwright.trainer.learning.pre_ranker import distill, untrained_pre_ranker
from loopwright.trainer.learning.ranker import HEADS, Trained, train_ranker
from loopwright.trainer.learning.ranking_inputs import RankingInputs
from loopwright.trainer.learning.settings import Recipe
from loopwright.trainer.learning.tower_weights import TowerWeights

Progress = Callable[[str, float], None]
"""Told the step and the share of it that is done."""

NOW_AFTER_MS = 1000
"""The window's `now` is this long after its newest event, where an import leaves the mesh clock."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a run learned, and what it leaves for the gate.

    Attributes:
        weights: For export.
        stage1: Towers and graph of all fit rows.
        table: The catalogue without counts.
        now_ms: The window's time.
        metrics: Figures of the training, by name.
        losses: Mean losses by tenth of the training, by model.
    """

    weights: Weights
    stage1: Stage1
    table: ItemTable
    now_ms: int
    metrics: dict[str, float]
    losses: dict[str, tuple[float, ...]]


def settle_torch() -> None:
    """Make torch deterministic in this thread: one thread, deterministic algorithms, no denormals."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.set_flush_denormal(True)


def fit(
    evidence: Evidence,
    bundle: PolicyBundle,
    recipe: Recipe,
    seed: int,
    progress: Progress = lambda step, share: None,
) -> Fitted:
    """Return everything learned from the rows of a window that do not judge.

    Args:
        evidence: The window.
        bundle: The bundle that the models will serve under: features, sources, weights of heads, clipping.
        recipe: The numbers of the recipe.
        seed: Seeds everything random.
        progress: Told how far it is.

    Raises:
        NothingToLearn: Nobody engaged with an item of the catalogue.
    """
    settle_torch()
    actions = evidence.actions
    teaching = ~actions.judge
    progress("dataset", 0.0)
    table = catalogue_table(evidence.catalogue, actions.item_ids)
    _check(actions.item_ids[teaching & actions.engaged], table)
    now_ms = int(actions.times_ms[teaching].max()) + NOW_AFTER_MS
    # What serves is learned beside what the pseudo-decisions need: two trainings of one thread each, with no state or
    # random numbers in common, so that the outcome is that of one after the other.
    with ThreadPoolExecutor(1, "stage 1", initializer=settle_torch) as beside:
        refit = beside.submit(learn_stage1, actions.take(teaching), evidence.users, table, recipe.towers, seed)
        found = _examples(evidence, teaching, table, bundle, now_ms, recipe, seed, progress)
        inputs = RankingInputs(found)
        ranker = train_ranker(found, inputs, recipe.rankers, seed, lambda share: progress("ranker", 0.75 * share))
        pre, pre_losses = _pre_ranker(
            inputs, ranker, bundle, recipe, seed, lambda share: progress("ranker", 0.75 + 0.25 * share)
        )
        stage1 = refit.result()
    progress("ranker", 1.0)
    towers = stage1.towers
    assert isinstance(towers, TowerWeights)
    weights = Weights(towers, ranker.weights, pre, widths_of(bundle))
    losses = {"two_tower": stage1.losses, "ranker": ranker.losses, "pre_ranker": pre_losses}
    return Fitted(weights, stage1, table, now_ms, _metrics(evidence, teaching, found, losses), losses)


def widths_of(bundle: PolicyBundle) -> tuple[int, int, int]:
    """Return the widths of user columns, item columns and signals under a bundle."""
    return width(bundle.features.user), width(bundle.features.item), len(SIGNALS)


def utilities(logits: F32, bundle: PolicyBundle) -> F32:
    """Return float32 [n]: the bundle's weighted sum of the heads, which are log-probabilities."""
    weight = np.array([bundle.objective.weights.get(head, 0.0) for head in HEADS])
    return np.asarray(-np.logaddexp(0.0, -logits.astype(np.float64)) @ weight, dtype=np.float32)


def _check(engaged: np.ndarray, table: ItemTable) -> None:
    if not len(engaged):
        raise NothingToLearn("the window holds no engagement that may be learned from")
    if not (table.eligibility[table.rows_of(np.unique(engaged))] == 0).any():
        raise NothingToLearn("no item that was engaged with is in the catalogue and may be shown")


def _examples(
    evidence: Evidence,
    teaching: Bools,
    table: ItemTable,
    bundle: PolicyBundle,
    now_ms: int,
    recipe: Recipe,
    seed: int,
    progress: Progress,
) -> Examples:
    parts = split(evidence, teaching, recipe.examples.cut)
    before = learn_stage1(
        parts.before.actions, evidence.users, table, recipe.towers, seed, lambda share: progress("towers", share)
    )
    pseudo = pseudo_decisions(
        parts, table, before, bundle, now_ms, recipe.examples, seed, lambda share: progress("signals", share)
    )
    old_enough = matured(evidence.exposed, evidence.newest_ms, recipe.examples.maturity_s)
    slates = slate_decisions(old_enough, bundle.learning.ips_clip)
    found = examples([*pseudo, *slates], widths_of(bundle))
    progress("signals", 1.0)
    return found


def _pre_ranker(
    inputs: RankingInputs,
    ranker: Trained,
    bundle: PolicyBundle,
    recipe: Recipe,
    seed: int,
    progress: Callable[[float], None],
) -> tuple[NetWeights, tuple[float, ...]]:
    if not ranker.losses:
        head_weights = np.array([bundle.objective.weights.get(head, 0.0) for head in HEADS], np.float32)
        return untrained_pre_ranker(ranker.weights, head_weights), ()
    return distill(inputs, utilities(ranker.logits, bundle), recipe.rankers, seed + 1, progress)


def _metrics(
    evidence: Evidence, teaching: Bools, found: Examples, losses: dict[str, tuple[float, ...]]
) -> dict[str, float]:
    slate_rows = found.slates[found.decisions]
    figures: dict[str, float] = {
        "users": evidence.users,
        "actions": int(teaching.sum()),
        "judge_rows": int((~teaching).sum()),
        "pseudo_decisions": int((~found.slates).sum()),
        "slates": int(found.slates.sum()),
        "slate_rows": int(slate_rows.sum()),
        "slate_rows_too_young": sum(len(slate.item_ids) for slate in evidence.exposed) - int(slate_rows.sum()),
        "slate_engaged": int((found.labels[slate_rows] > 0).sum()),
        "candidate_rows": int((~slate_rows).sum()),
        "candidate_engaged": int((found.labels[~slate_rows] > 0).sum()),
    }
    for model, tenths in losses.items():
        figures |= {f"{model}_loss_first": tenths[0], f"{model}_loss_last": tenths[-1]} if tenths else {}
    return {name: float(value) for name, value in figures.items()}
