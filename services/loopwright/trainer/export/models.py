"""A fitted run in, three models in the store out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from loopwright.bundle import PolicyBundle
from loopwright.featurespec.signals import SIGNALS
from loopwright.modelstore import Kind, Manifest, ModelStore
from loopwright.modelstore.models import (
    GOLDEN_NAME,
    ITEM_TOWER,
    PRE_RANKER,
    RANKER,
    USER_TOWER,
    VOCABULARY,
    golden_bytes,
    vocabulary_bytes,
)
from loopwright.trainer.export.golden import pre_ranker_case, ranker_case, tower_cases
from loopwright.trainer.export.ranker_graphs import Widths, pre_ranker, ranker
from loopwright.trainer.export.tower_graphs import item_tower, user_tower
from loopwright.trainer.learning.network import NetWeights
from loopwright.trainer.learning.ranker import HEADS
from loopwright.trainer.learning.tower_weights import TowerWeights


@dataclass(frozen=True, slots=True)
class Weights:
    """All that was learned: towers, ranker, pre-ranker, and the widths of the rankers' inputs."""

    towers: TowerWeights
    ranker: NetWeights
    pre_ranker: NetWeights
    widths: Widths


@dataclass(frozen=True, slots=True)
class Exported:
    """The manifests of the three models."""

    two_tower: Manifest
    pre_ranker: Manifest
    ranker: Manifest

    @property
    def manifests(self) -> tuple[Manifest, ...]:
        """All three."""
        return (self.two_tower, self.pre_ranker, self.ranker)

    @property
    def versions(self) -> dict[str, str]:
        """Kind -> model version."""
        return {manifest.kind.value: manifest.model_version for manifest in self.manifests}

    @property
    def graphs(self) -> dict[str, str]:
        """File name -> sha256 of every ONNX file."""
        return {f.name: f.sha256 for m in self.manifests for f in m.files if f.name.endswith(".onnx")}


def export(
    store: ModelStore, weights: Weights, bundle: PolicyBundle, seed: int, details: Mapping[str, Any]
) -> Exported:
    """Put the models into the store; the same weights give the same versions."""
    towers, widths = weights.towers, weights.widths
    groups = (*bundle.features.user, *bundle.features.item)
    two_tower = store.put(
        Kind.TWO_TOWER,
        {
            USER_TOWER: user_tower(towers),
            ITEM_TOWER: item_tower(towers),
            VOCABULARY: vocabulary_bytes(towers.vocabulary.item_ids),
            GOLDEN_NAME: golden_bytes(tower_cases(towers, seed)),
        },
        details=details,
    )
    pre = store.put(
        Kind.PRE_RANKER,
        {
            PRE_RANKER: pre_ranker(weights.pre_ranker, widths),
            GOLDEN_NAME: golden_bytes({PRE_RANKER: pre_ranker_case(weights.pre_ranker, widths, seed)}),
        },
        feature_groups=groups,
        signals=SIGNALS,
        heads=("score",),
        details=details,
    )
    full = store.put(
        Kind.RANKER,
        {
            RANKER: ranker(weights.ranker, widths),
            GOLDEN_NAME: golden_bytes({RANKER: ranker_case(weights.ranker, widths, seed)}),
        },
        feature_groups=groups,
        signals=SIGNALS,
        heads=HEADS,
        details=details,
    )
    return Exported(two_tower, pre, full)
