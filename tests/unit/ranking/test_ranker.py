import asyncio

import numpy as np
import pytest
from tests.tiny_models import HEADS, K

from loopwright.faults import BundleNotLoaded, DeadlineExceeded, InvalidRequest
from loopwright.modelstore import ModelFeatureMismatch
from loopwright.rpc import Deadline

from .conftest import GROUPS, Rig, ranked_bundle


async def test_scores_are_in_request_order_and_the_best_have_heads(rig: Rig) -> None:
    query = rig.query()
    scores = await rig.ranker.score(query, Deadline.after(5))
    rankers = rig.bundles.get(rig.version)
    assert rankers.pre_ranker and rankers.ranker
    pre = rankers.pre_ranker.score(query.user_columns, query.item_columns, query.signals)
    heads = rankers.ranker.score(query.user_columns, query.item_columns, query.signals, 1.0)
    np.testing.assert_array_equal(scores.pre_scores, pre)
    np.testing.assert_array_equal(scores.best, np.argsort(-pre)[:3])
    np.testing.assert_array_equal(scores.heads, heads[scores.best])
    assert scores.head_names == HEADS


async def test_the_same_request_gets_the_same_bits(rig: Rig) -> None:
    first = await rig.ranker.score(rig.query(), Deadline.after(5))
    answers = await asyncio.gather(*(rig.ranker.score(rig.query(), Deadline.after(5)) for _ in range(8)))
    assert all(answer.heads.tobytes() == first.heads.tobytes() for answer in answers)


async def test_no_candidates_get_no_scores(rig: Rig) -> None:
    scores = await rig.ranker.score(rig.query(0), Deadline.after(5))
    assert scores.pre_scores.shape == (0,) and scores.heads.shape == (0, 2) and len(scores.best) == 0


async def test_another_model_version_than_the_bundle_pins_is_not_loaded(rig: Rig) -> None:
    with pytest.raises(BundleNotLoaded):
        await rig.ranker.score(rig.query(ranker_version="0" * 64), Deadline.after(5))
    with pytest.raises(BundleNotLoaded):
        await rig.ranker.score(rig.query(policy_version="unknown"), Deadline.after(5))


async def test_columns_of_other_groups_are_refused(rig: Rig) -> None:
    with pytest.raises(ModelFeatureMismatch):
        await rig.ranker.score(rig.query(feature_groups=GROUPS[::-1]), Deadline.after(5))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("user_columns", np.zeros(3, np.float16)),
        ("item_columns", np.zeros((7, 2), np.float16)),
        ("signals", np.zeros((6, K), np.float32)),
        ("signals", np.full((7, K), np.nan, np.float32)),
    ],
)
async def test_arrays_that_do_not_fit_are_named(rig: Rig, field: str, value: object) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await rig.ranker.score(rig.query(**{field: value}), Deadline.after(5))
    assert [violation.field for violation in refused.value.violations] == [field]


async def test_a_passed_deadline_is_a_fault_of_its_own(rig: Rig) -> None:
    with pytest.raises(DeadlineExceeded):
        await rig.ranker.score(rig.query(), Deadline.after(0))


async def test_a_model_that_turns_to_nan_in_service_is_quarantined_and_the_old_one_serves_on(rig: Rig) -> None:
    trapped = ranked_bundle(rig.store, pre={"flavour": "trap"})
    version = rig.feed.publish(trapped)
    while version not in rig.bundles.loaded():
        await asyncio.sleep(0.001)
    query = rig.query(policy_version=version, pre_ranker_version=trapped.models.pre_ranker)
    await rig.ranker.score(query, Deadline.after(5))
    query.signals[2, 0] = 7.0
    for _ in range(2):
        with pytest.raises(BundleNotLoaded) as refused:
            await rig.ranker.score(query, Deadline.after(5))
        assert refused.value.metadata["cause"] == "MODEL_NOT_FINITE"
    assert rig.readiness.said[-2:] == [
        ("rejected", "pre_ranker", trapped.models.pre_ranker),
        ("rejected", "bundle", version),
    ]
    await rig.ranker.score(rig.query(), Deadline.after(5))
