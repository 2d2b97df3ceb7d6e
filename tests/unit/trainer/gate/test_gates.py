from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from tests.trainer_world import MINUTE_MS, RECIPE, START_MS, bundle, catalogue, clicked, collected, organic, rows

from loopwright.bundle import PolicyBundle, with_models, with_values
from loopwright.domain.ids import item_id
from loopwright.domain.vectors import U64
from loopwright.featurespec.users import UserState
from loopwright.modelstore import ModelStore
from loopwright.trainer.export.models import Weights, export
from loopwright.trainer.fitting import Fitted, fit
from loopwright.trainer.gate.gates import LEAST_JUDGED, Incumbent, judge
from loopwright.trainer.gate.scoring import Lists
from loopwright.trainer.gate.verdict import NO_VERDICT, PASSED, REFUSED
from loopwright.trainer.labels.actions import Actions
from loopwright.trainer.labels.evidence import Evidence

USERS, ITEMS = 60, 24
LATER_MS = START_MS + 100_000 * MINUTE_MS


@cache
def world(judged: int = USERS) -> tuple[Evidence, Fitted]:
    taught = rows(USERS, ITEMS, 9)
    acted = {(e.organic_interaction.subject, e.organic_interaction.item_id) for e in taught}
    judging = []
    for user in range(judged):
        open_ = [i for i in range(user % 2, ITEMS, 2)]
        events = [organic(user, i, LATER_MS + i, True, rank=50 + i) for i in open_]
        fresh = [e for e in events if (e.organic_interaction.subject, e.organic_interaction.item_id) not in acted]
        judging += fresh[:3]
    evidence = collected(catalogue(ITEMS), taught, judging)
    return evidence, fit(evidence, bundle(), RECIPE, 1)


def put(store: ModelStore, weights: Weights, seed: int = 1) -> PolicyBundle:
    return with_models(bundle(), **export(store, weights, bundle(), seed, {}).versions)


def wrong(weights: Weights) -> Weights:
    """Turn the ranker upside down, by both heads."""
    learned = weights.ranker
    return replace(weights, ranker=learned.calibrated(-learned.slope, -learned.bias))


def cutting(store: ModelStore, weights: Weights, best_n: int = 8) -> PolicyBundle:
    """Return a bundle whose pre-ranker leaves fewer candidates than there are."""
    return with_values(put(store, weights), {"ranking.best_n": best_n})


def test_without_an_incumbent_nothing_is_compared_and_nothing_is_refused(tmp_path: Path) -> None:
    evidence, fitted = world()
    store = ModelStore(tmp_path)
    verdict = judge(store, put(store, fitted.weights), None, fitted, evidence)
    assert verdict.verdict == NO_VERDICT
    assert verdict.may_serve
    assert verdict.figures["parity_max_error"] < 1e-5


def test_too_few_judged_users_give_no_verdict(tmp_path: Path) -> None:
    evidence, fitted = world(LEAST_JUDGED - 1)
    store = ModelStore(tmp_path)
    candidate = put(store, fitted.weights)
    verdict = judge(store, candidate, Incumbent("v", candidate), fitted, evidence)
    assert verdict.verdict == NO_VERDICT
    assert verdict.figures["judged_users"] == LEAST_JUDGED - 1


def test_a_candidate_equal_to_the_incumbent_passes(tmp_path: Path) -> None:
    evidence, fitted = world()
    store = ModelStore(tmp_path)
    candidate = put(store, fitted.weights)
    verdict = judge(store, candidate, Incumbent("v", candidate), fitted, evidence)
    assert verdict.verdict == PASSED
    assert verdict.figures["difference"] == 0.0
    assert verdict.figures["compared_users"] == USERS


def test_a_candidate_that_ranks_upside_down_is_refused_with_its_figures(tmp_path: Path) -> None:
    evidence, fitted = world()
    store = ModelStore(tmp_path)
    broken = wrong(fitted.weights)
    verdict = judge(
        store, put(store, broken), Incumbent("v", put(store, fitted.weights)), replace(fitted, weights=broken), evidence
    )
    assert verdict.verdict == REFUSED
    assert not verdict.may_serve
    assert verdict.figures["difference"] < -2 * verdict.figures["standard_error"]
    assert verdict.figures["candidate_ndcg10"] < verdict.figures["incumbent_ndcg10"]


def test_a_candidate_whose_pre_ranker_cuts_the_best_is_refused_whatever_its_ranker(tmp_path: Path) -> None:
    evidence, fitted = world()
    store = ModelStore(tmp_path)
    learned = fitted.weights.pre_ranker
    broken = replace(fitted.weights, pre_ranker=learned.calibrated(-learned.slope, -learned.bias))
    candidate, incumbent = cutting(store, broken), cutting(store, fitted.weights)
    assert candidate.models.ranker == incumbent.models.ranker
    verdict = judge(store, candidate, Incumbent("v", incumbent), replace(fitted, weights=broken), evidence)
    assert verdict.verdict == REFUSED
    assert verdict.figures["candidate_ndcg10"] < 0.2 < verdict.figures["incumbent_ndcg10"]


def test_a_better_candidate_passes_a_bad_incumbent(tmp_path: Path) -> None:
    evidence, fitted = world()
    store = ModelStore(tmp_path)
    incumbent = put(store, wrong(fitted.weights))
    assert judge(store, put(store, fitted.weights), Incumbent("v", incumbent), fitted, evidence).verdict == PASSED


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_a_model_that_yields_nan_is_refused(tmp_path: Path) -> None:
    evidence, fitted = world()
    store = ModelStore(tmp_path)
    learned = fitted.weights.ranker
    nan = replace(fitted.weights, ranker=learned.calibrated(learned.slope, np.full(2, np.nan, np.float32)))
    verdict = judge(store, put(store, nan), None, replace(fitted, weights=nan), evidence)
    assert verdict.verdict == REFUSED
    assert verdict.reasons[0].startswith("MODEL_NOT_FINITE")


def test_a_corrupted_file_is_refused(tmp_path: Path) -> None:
    evidence, fitted = world()
    store = ModelStore(tmp_path)
    candidate = put(store, fitted.weights)
    file = store.path(candidate.models.ranker) / "ranker.onnx"
    file.write_bytes(file.read_bytes()[:-1] + b"\0")
    verdict = judge(store, candidate, None, fitted, evidence)
    assert verdict.verdict == REFUSED
    assert verdict.reasons[0].startswith("MODEL_HASH_MISMATCH")


def test_graphs_that_are_not_what_was_trained_are_refused(tmp_path: Path) -> None:
    evidence, fitted = world()
    store = ModelStore(tmp_path)
    verdict = judge(store, put(store, wrong(fitted.weights)), None, fitted, evidence)
    assert verdict.verdict == REFUSED
    assert verdict.figures["parity_max_error"] > 1e-5


def test_an_incumbent_that_cannot_be_opened_is_not_compared_with(tmp_path: Path) -> None:
    evidence, fitted = world()
    store = ModelStore(tmp_path)
    gone = with_models(bundle(), two_tower="a" * 64, pre_ranker="b" * 64, ranker="c" * 64)
    verdict = judge(store, put(store, fitted.weights), Incumbent("v", gone), fitted, evidence)
    assert verdict.verdict == NO_VERDICT
    assert "MODEL_MISSING" in verdict.reasons[0]


def test_what_slates_caused_while_users_were_judged_is_in_no_state_and_in_no_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, fitted = world()
    acted = item_id(str(ITEMS - 1))
    last = [clicked(user, ITEMS - 1, LATER_MS + MINUTE_MS) for user in range(USERS)]
    later = collected(catalogue(ITEMS), [], clicks=last).actions
    evidence = replace(plain, actions=joined(plain.actions, later))
    asked: list[tuple[UserState, U64]] = []
    best = Lists.best

    def spied(lists: Lists, state: UserState, count: int, barred: U64) -> U64:
        asked.append((state, barred))
        found = best(lists, state, count, barred)
        assert acted not in found.tolist()
        return found

    monkeypatch.setattr(Lists, "best", spied)
    store = ModelStore(tmp_path)
    candidate = put(store, fitted.weights)
    assert judge(store, candidate, Incumbent("v", candidate), fitted, evidence).verdict == PASSED
    assert len(asked) >= 2 * LEAST_JUDGED
    assert all(barred.tolist() == [acted] for _, barred in asked)
    assert all(len(state.history.acted) == 9 for state, _ in asked)


def joined(first: Actions, second: Actions) -> Actions:
    pairs = ((getattr(first, name), getattr(second, name)) for name in Actions.__slots__)
    return Actions(*(np.concatenate(pair) for pair in pairs))
