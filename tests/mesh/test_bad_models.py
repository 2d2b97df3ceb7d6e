"""A model that must not serve is refused at load, its bundle cannot be activated, and the old model serves on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from loopwright.api.policy.v1 import policy_service_pb2 as policy_pb
from loopwright.bundle import PolicyBundle, policy_version, with_models
from loopwright.faults import Kind as FaultKind
from loopwright.faults import RemoteFault
from loopwright.featurespec.groups import width
from loopwright.featurespec.signals import SIGNALS
from loopwright.localmesh.composition import OneProcess
from loopwright.localmesh.proofs import verify_many
from loopwright.modelstore import Kind
from loopwright.modelstore.models import ITEM_TOWER
from tests.mesh.served import served
from tests.mesh.world import activate, dice, document, message, recorded_whole, soon, with_tiny_models
from tests.tiny_models import HEADS, edited, put_scorer, put_two_tower, scorer

Spoiled = Callable[[OneProcess, PolicyBundle], str]


@dataclass(frozen=True)
class Case:
    """A model to refuse: which pin, how it is made, who refuses it and why."""

    name: str
    kind: Kind
    spoil: Spoiled
    replica: str
    cause: str

    def __str__(self) -> str:
        return self.name


def columns(bundle: PolicyBundle) -> tuple[int, int, tuple[str, ...]]:
    user, item = tuple(bundle.features.user), tuple(bundle.features.item)
    return width(user), width(item), (*user, *item)


def corrupted(mesh: OneProcess, version: str, name: str) -> str:
    """Turn one bit of a file that is in the store already."""
    path = mesh.models.path(version) / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(bytes(data))
    return version


def corrupted_scorer(kind: Kind) -> Spoiled:
    def spoil(mesh: OneProcess, bundle: PolicyBundle) -> str:
        user, item, groups = columns(bundle)
        version = put_scorer(mesh.models, kind, user, item, groups, seed=9).model_version
        return corrupted(mesh, version, f"{kind.value}.onnx")

    return spoil


def tower_ids(mesh: OneProcess) -> np.ndarray:
    return np.sort(mesh.services.hydration.mirror.table.ids)[:50]


def corrupted_tower(mesh: OneProcess, bundle: PolicyBundle) -> str:
    return corrupted(mesh, put_two_tower(mesh.models, tower_ids(mesh), seed=9).model_version, ITEM_TOWER)


def of_other_groups(mesh: OneProcess, bundle: PolicyBundle) -> str:
    user, item, groups = columns(bundle)
    others = tuple(name.replace(".v1", ".v2") for name in groups)
    return put_scorer(mesh.models, Kind.RANKER, user, item, others, seed=9).model_version


def of_another_order(mesh: OneProcess, bundle: PolicyBundle) -> str:
    user, item, groups = columns(bundle)
    return put_scorer(mesh.models, Kind.RANKER, user, item, groups[::-1], seed=9).model_version


def yielding_nan(mesh: OneProcess, bundle: PolicyBundle) -> str:
    user, item, groups = columns(bundle)
    return put_scorer(mesh.models, Kind.RANKER, user, item, groups, seed=9, nan=True).model_version


def yielding_infinity_at_the_extremes(mesh: OneProcess, bundle: PolicyBundle) -> str:
    """Finite on its golden batch, infinite where a column is as large as float16 columns may be."""
    user, item, groups = columns(bundle)
    files = scorer(Kind.RANKER, user, item, seed=9)

    def steepen(model: onnx.ModelProto) -> None:
        node = onnx.helper.make_node("Pow", ["by_user_0", "eleventh"], ["steep"])
        zero = onnx.helper.make_node("Mul", ["steep", "nothing"], ["nil"])
        last = next(n for n in model.graph.node if n.output[0] == "by_user")
        last.output[0] = "by_user_0"
        place = list(model.graph.node).index(last) + 1
        model.graph.node.insert(place, onnx.helper.make_node("Add", ["by_user_0", "nil"], ["by_user"]))
        model.graph.node.insert(place, zero)
        model.graph.node.insert(place, node)
        for name, value in (("eleventh", 11.0), ("nothing", 0.0)):
            model.graph.initializer.append(numpy_helper.from_array(np.array(value, np.float32), name))

    files["ranker.onnx"] = edited(files["ranker.onnx"], steepen)
    return mesh.models.put(Kind.RANKER, files, feature_groups=groups, signals=SIGNALS, heads=HEADS).model_version


def tower_yielding_nan(mesh: OneProcess, bundle: PolicyBundle) -> str:
    ids = tower_ids(mesh)
    good = mesh.models.load(put_two_tower(mesh.models, ids, seed=9).model_version)

    def spoil(model: onnx.ModelProto) -> None:
        table = next(weights for weights in model.graph.initializer if weights.name == "table")
        values = numpy_helper.to_array(table).copy()
        values[1] = np.nan
        table.CopyFrom(numpy_helper.from_array(values, "table"))

    files = dict(good.files) | {ITEM_TOWER: edited(good.files[ITEM_TOWER], spoil)}
    return mesh.models.put(Kind.TWO_TOWER, files).model_version


def absent(mesh: OneProcess, bundle: PolicyBundle) -> str:
    return "0" * 64


CASES = [
    Case("corrupted ranker", Kind.RANKER, corrupted_scorer(Kind.RANKER), "ranking-0", "MODEL_HASH_MISMATCH"),
    Case(
        "corrupted pre-ranker", Kind.PRE_RANKER, corrupted_scorer(Kind.PRE_RANKER), "ranking-0", "MODEL_HASH_MISMATCH"
    ),
    Case("corrupted tower", Kind.TWO_TOWER, corrupted_tower, "retrieval-0", "MODEL_HASH_MISMATCH"),
    Case("ranker for other feature groups", Kind.RANKER, of_other_groups, "ranking-0", "MODEL_FEATURE_MISMATCH"),
    Case("ranker for another column order", Kind.RANKER, of_another_order, "ranking-0", "MODEL_FEATURE_MISMATCH"),
    Case("ranker that yields NaN", Kind.RANKER, yielding_nan, "ranking-0", "MODEL_NOT_FINITE"),
    Case(
        "ranker that is infinite at the extremes",
        Kind.RANKER,
        yielding_infinity_at_the_extremes,
        "ranking-0",
        "MODEL_NOT_FINITE",
    ),
    Case("tower that yields NaN", Kind.TWO_TOWER, tower_yielding_nan, "retrieval-0", "MODEL_NOT_FINITE"),
    Case("model that is not there", Kind.RANKER, absent, "ranking-0", "MODEL_MISSING"),
]


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_a_spoiled_model_is_refused_at_load_and_the_old_one_serves_on(mesh: OneProcess, case: Case) -> None:
    old = with_tiny_models(mesh, recorded_whole())
    old_version = await activate(mesh, old)
    new = with_models(old, **{case.kind.value: case.spoil(mesh, old)})
    async with served(mesh, dice()) as found:
        before = await found.recommender.Recommend(message(number=1), timeout=20)
        publish = policy_pb.PublishBundleRequest(document=document(new), actor="test")
        assert (await found.policy.PublishBundle(publish, timeout=20)).policy_version == policy_version(new)
        await mesh.settle()

        view = mesh.services.policy.readiness
        report = view.state(case.replica, "bundle", policy_version(new))
        assert report is not None and report.state.name == "REJECTED"
        assert report.reason.partition(":")[0] == case.cause

        switch = policy_pb.ActivateBundleRequest(
            surface="home", policy_version=policy_version(new), expected_previous=old_version, actor="test"
        )
        with pytest.raises(RemoteFault) as caught:
            await found.policy.ActivateBundle(switch, timeout=20)
        fault = caught.value
        assert (fault.kind, fault.reason, fault.retryable) == (
            FaultKind.FAILED_PRECONDITION,
            "REPLICA_NOT_READY",
            False,
        )
        told = (fault.metadata["replica"], fault.metadata["state"], fault.metadata["cause"])
        assert told == (case.replica, "rejected", case.cause)

        after = await found.recommender.Recommend(message("u2", 2), timeout=20)
        assert after.versions == before.versions and after.versions.policy_version == old_version
        assert list(after.degradations) == [] and len(after.items) == 10
        listed = await found.policy.ListBundles(policy_pb.ListBundlesRequest(surface="home"), timeout=20)
        standing = {bundle.policy_version: bundle for bundle in listed.bundles}
        assert standing[old_version].active and not standing[policy_version(new)].active
        refusing = {r.replica: r.reason for r in standing[policy_version(new)].replicas if not r.ready}
        assert case.replica in refusing and case.cause in refusing[case.replica]
    proven = await verify_many(mesh.log("cli"), mesh.models, 10, 1)
    assert proven.holding == 2 and proven.broken == {}


async def test_a_model_put_right_serves_once_its_bundle_is_published(mesh: OneProcess) -> None:
    old = with_tiny_models(mesh, recorded_whole())
    await activate(mesh, old)
    spoiled = with_models(old, ranker=yielding_nan(mesh, old))
    await mesh.policy.publish(document(spoiled), actor="test", reason="", deadline=soon())
    await mesh.settle()
    good = with_tiny_models(mesh, recorded_whole(), seed=5)
    version = await activate(mesh, good)
    active = mesh.services.recommender.feed.active("home")
    assert active is not None and active.version == version
