"""All gates over exported models: golden batch, parity with torch, finiteness, comparison with the incumbent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from loopwright.bundle import PolicyBundle
from loopwright.domain.vectors import F32
from loopwright.faults import ModelRejected
from loopwright.featurespec.table import ItemTable
from loopwright.modelstore import ModelStore
from loopwright.trainer.dataset.pseudo import Past, past_of
from loopwright.trainer.export.models import Weights
from loopwright.trainer.fitting import Fitted
from loopwright.trainer.gate.ndcg import ndcg, paired
from loopwright.trainer.gate.scoring import Lists, ModelSet, open_models
from loopwright.trainer.gate.verdict import NO_VERDICT, PASSED, REFUSED, Verdict
from loopwright.trainer.labels.actions import Actions
from loopwright.trainer.labels.evidence import Evidence
from loopwright.trainer.learning.network import log_sigmoid, logits

LEAST_JUDGED = 50
"""Users with a liked row after the incumbent's training, below which nothing is compared."""
MOST_JUDGED = 2000
PARITY = 1e-5
"""Largest difference between ONNX and torch, relative to max(1, |x|)."""
_PARITY_USERS = 25
_ERRORS = 2.0
_LENGTH = 10


@dataclass(frozen=True, slots=True)
class Incumbent:
    """What serves now: the active bundle and its version."""

    version: str
    bundle: PolicyBundle


def judge(
    store: ModelStore,
    candidate: PolicyBundle,
    incumbent: Incumbent | None,
    fitted: Fitted,
    evidence: Evidence,
    progress: Callable[[float], None] = lambda share: None,
) -> Verdict:
    """Return the verdict on the models that `candidate` pins.

    Args:
        store: Where they and the incumbent's are.
        candidate: The bundle that would be promoted.
        incumbent: What serves now; None when nothing does, or it pins no models.
        fitted: What the run learned.
        evidence: The window, with the rows that judge.
        progress: Told the share done.
    """
    try:
        models = open_models(store, candidate)
        past = past_of(evidence, ~evidence.actions.judge, evidence.views)
        counted = past.fold_into(fitted.table)
        lists = Lists(models, counted, fitted.stage1.graph, fitted.now_ms)
        error = _parity(models, lists, fitted.weights, past, evidence.users)
    except ModelRejected as fault:
        return Verdict(REFUSED, (f"{fault.reason}: {fault.message}",), {})
    figures = {"parity_max_error": error}
    if not error <= PARITY:
        return Verdict(REFUSED, (f"ONNX and torch differ by {error:.2e}, more than {PARITY:.0e}",), figures)
    liked = _liked(evidence, past, fitted.table)
    figures["judged_users"] = float(len(liked))
    if incumbent is None:
        return Verdict(NO_VERDICT, ("there is no incumbent to compare with",), figures)
    if len(liked) < LEAST_JUDGED:
        reason = f"{len(liked)} users liked something after the incumbent's training, {LEAST_JUDGED} are needed"
        return Verdict(NO_VERDICT, (reason,), figures)
    try:
        rival = Lists(open_models(store, incumbent.bundle), counted, fitted.stage1.graph, fitted.now_ms)
    except ModelRejected as fault:
        return Verdict(NO_VERDICT, (f"the incumbent cannot be opened: {fault.reason}",), figures)
    return _compared(lists, rival, past, liked, _began(_judging(evidence)), figures, progress)


def _parity(models: ModelSet, lists: Lists, weights: Weights, past: Past, users: int) -> float:
    """Return the largest difference between exported graphs and torch over the candidates of some users."""
    worst = 0.0
    for user in range(min(users, _PARITY_USERS)):
        inputs = lists.inputs(past.state(user))
        if not len(inputs.item_ids):
            continue
        count = len(inputs.item_ids)
        wide = np.tile(inputs.user_columns.astype(np.float32), (count, 1))
        x = np.concatenate([wide, inputs.item_columns.astype(np.float32), inputs.signals], axis=1)
        heads = log_sigmoid(logits(weights.ranker, x, float(models.bundle.ranking.position)))
        pre = models.pre_ranker.score(inputs.user_columns, inputs.item_columns, inputs.signals)
        pairs = [(models.heads(inputs), heads), (pre, logits(weights.pre_ranker, x)[:, 0])]
        worst = max(worst, *(_difference(got, wanted) for got, wanted in pairs))
    return worst


def _difference(got: F32, wanted: F32) -> float:
    """Return the largest difference relative to max(1, |x|); NaN stays NaN and passes no gate."""
    reference = wanted.astype(np.float64)
    return float(np.max(np.abs(got - reference) / np.maximum(1.0, np.abs(reference))))


def _judging(evidence: Evidence) -> Actions:
    """Return the liked judging rows, oldest first."""
    judging = evidence.actions.take(evidence.actions.judge)
    return judging.take(judging.engaged & judging.liked)


def _began(judging: Actions) -> dict[int, int]:
    """Return user -> time of his first judging row in milliseconds."""
    users, first = np.unique(judging.users, return_index=True)
    return dict(zip(users.tolist(), judging.times_ms[first].tolist(), strict=True))


def _liked(evidence: Evidence, past: Past, table: ItemTable) -> dict[int, set[int]]:
    """Return user -> liked items of the judging rows that were open: servable and not acted on before."""
    judging = _judging(evidence)
    servable = set(table.ids[table.eligibility == 0].tolist())
    found: dict[int, set[int]] = {}
    for user, item in zip(judging.users.tolist(), judging.item_ids.tolist(), strict=True):
        if item in servable:
            found.setdefault(user, set()).add(item)
    acted = past.actions.item_ids
    for user, items in found.items():
        items.difference_update(acted[past.starts[user] : past.starts[user + 1]].tolist())
    return {user: items for user, items in sorted(found.items()) if items}


def _compared(
    lists: Lists,
    rival: Lists,
    past: Past,
    liked: dict[int, set[int]],
    began: dict[int, int],
    figures: dict[str, float],
    progress: Callable[[float], None],
) -> Verdict:
    users = sorted(liked)
    if len(users) > MOST_JUDGED:  # subjects are hashes, so every k-th is a fair sample
        users = users[:: -(-len(users) // MOST_JUDGED)]
    scores = np.zeros((2, len(users)))
    for place, user in enumerate(users):
        # What slates caused while the user was being judged taught the candidate alone: neither side sees it in the
        # state, and neither may list it.
        state, barred = past.state(user, began[user]), past.touched_since(user, began[user])
        scores[:, place] = [ndcg(side.best(state, _LENGTH, barred), liked[user], _LENGTH) for side in (lists, rival)]
        progress(place / len(users))
    difference, error = paired(scores[0], scores[1])
    figures |= {
        "compared_users": float(len(users)),
        "candidate_ndcg10": float(scores[0].mean()),
        "incumbent_ndcg10": float(scores[1].mean()),
        "difference": difference,
        "standard_error": error,
    }
    said = f"NDCG@10 {scores[0].mean():.4f} against {scores[1].mean():.4f}: {difference:+.4f} (se {error:.4f})"
    if difference < -_ERRORS * error:
        return Verdict(REFUSED, (f"{said}, worse by more than {_ERRORS:g} standard errors",), figures)
    return Verdict(PASSED, (said,), figures)
