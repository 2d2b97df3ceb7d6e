import asyncio

import numpy as np
import pytest
from tests.tiny_models import put_scorer

from loopwright.bundle import PolicyBundle, with_models, with_values
from loopwright.faults import BundleNotLoaded
from loopwright.modelstore import Kind
from loopwright.rpc import Deadline

from .conftest import BUNDLE, GROUPS, ITEM, USER, Rig, ranked_bundle


async def published(rig: Rig, bundle: PolicyBundle) -> str:
    """Publish a bundle and return its version once it was judged."""
    version = rig.feed.publish(bundle)
    while not any(artefact == version for _, _, artefact in rig.readiness.said):
        await asyncio.sleep(0.001)
    return version


async def test_what_a_bundle_pins_is_reported_model_by_model_and_then_whole(rig: Rig) -> None:
    assert rig.readiness.said == [
        ("loaded", "pre_ranker", rig.bundle.models.pre_ranker),
        ("loaded", "ranker", rig.bundle.models.ranker),
        ("loaded", "bundle", rig.version),
    ]


async def test_a_bundle_without_rankers_is_loaded_and_cannot_score(rig: Rig) -> None:
    version = await published(rig, BUNDLE)
    assert rig.readiness.said[-1] == ("loaded", "bundle", version)
    with pytest.raises(BundleNotLoaded):
        await rig.ranker.score(rig.query(policy_version=version), Deadline.after(5))


async def test_a_second_bundle_of_the_same_models_opens_nothing_again(rig: Rig) -> None:
    await published(rig, with_values(rig.bundle, {"ranking.best_n": 7}))
    assert [kind for _, kind, _ in rig.readiness.said] == ["pre_ranker", "ranker", "bundle", "bundle"]


def corrupted(rig: Rig) -> PolicyBundle:
    bundle = ranked_bundle(rig.store, seed=9)
    path = rig.store.path(bundle.models.ranker) / "ranker.onnx"
    path.write_bytes(path.read_bytes()[:-1] + b"\x00")
    return bundle


def other_groups(rig: Rig) -> PolicyBundle:
    other = put_scorer(rig.store, Kind.RANKER, USER, ITEM, (*GROUPS[:-1], "other.v1"))
    return with_models(rig.bundle, ranker=other.model_version)


def other_width(rig: Rig) -> PolicyBundle:
    other = put_scorer(rig.store, Kind.RANKER, USER, ITEM - 1, GROUPS)
    return with_models(rig.bundle, ranker=other.model_version)


def yields_nan(rig: Rig) -> PolicyBundle:
    return ranked_bundle(rig.store, pre={"nan": True})


def missing(rig: Rig) -> PolicyBundle:
    return with_models(rig.bundle, ranker="0" * 64)


def unknown_head(rig: Rig) -> PolicyBundle:
    return with_values(rig.bundle, {"objective.weights": {"engage": 1.0, "dwell": 1.0}})


REFUSED = [
    (corrupted, "MODEL_HASH_MISMATCH"),
    (other_groups, "MODEL_FEATURE_MISMATCH"),
    (other_width, "MODEL_FEATURE_MISMATCH"),
    (yields_nan, "MODEL_NOT_FINITE"),
    (missing, "MODEL_MISSING"),
    (unknown_head, "MODEL_INVALID"),
]


@pytest.mark.parametrize(("make", "reason"), REFUSED, ids=[make.__name__ for make, _ in REFUSED])
async def test_a_bad_model_is_refused_with_its_reason_and_the_old_one_serves_on(rig: Rig, make, reason: str) -> None:  # type: ignore[no-untyped-def]
    before = await rig.ranker.score(rig.query(), Deadline.after(5))
    version = await published(rig, make(rig))
    assert rig.readiness.reasons["bundle", version].startswith(f"{reason}: ")
    with pytest.raises(BundleNotLoaded) as refused:
        await rig.ranker.score(rig.query(policy_version=version), Deadline.after(5))
    assert refused.value.metadata["cause"] == reason
    after = await rig.ranker.score(rig.query(), Deadline.after(5))
    np.testing.assert_array_equal(after.heads, before.heads)
