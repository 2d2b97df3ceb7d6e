from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from tests.fake_feed import FakeFeed, FakeReadiness
from tests.tiny_models import K, put_scorer

from loopwright.bundle import PolicyBundle, default_bundle, with_models
from loopwright.featurespec.groups import width
from loopwright.modelstore import Kind, ModelStore
from loopwright.modelstore.loading import BundleLoader
from loopwright.pipeline.types import ScoreQuery
from loopwright.ranking.models import Rankers, RankingModels
from loopwright.ranking.ranker import Ranker

BUNDLE = default_bundle()
GROUPS = (*BUNDLE.features.user, *BUNDLE.features.item)
USER, ITEM = width(BUNDLE.features.user), width(BUNDLE.features.item)


@dataclass
class Rig:
    """A ranker over a fake feed, with a bundle of good models published."""

    store: ModelStore
    feed: FakeFeed
    readiness: FakeReadiness
    bundles: BundleLoader[PolicyBundle, Rankers]
    ranker: Ranker
    version: str
    bundle: PolicyBundle

    def query(self, n: int = 7, **changes: object) -> ScoreQuery:
        rng = np.random.default_rng(n)
        values: dict[str, object] = {
            "policy_version": self.version,
            "pre_ranker_version": self.bundle.models.pre_ranker,
            "ranker_version": self.bundle.models.ranker,
            "feature_groups": GROUPS,
            "item_ids": np.arange(1, n + 1, dtype=np.uint64),
            "user_columns": rng.normal(size=USER).astype(np.float16),
            "item_columns": rng.normal(size=(n, ITEM)).astype(np.float16),
            "signals": rng.normal(size=(n, K)).astype(np.float32),
            "position": 1,
            "best_n": 3,
        }
        return ScoreQuery(**{**values, **changes})  # type: ignore[arg-type]


def ranked_bundle(store: ModelStore, *, pre: dict[str, object] | None = None, seed: int = 3) -> PolicyBundle:
    """Return the default bundle with a pre-ranker (options `pre`) and a ranker of ours."""
    first = put_scorer(store, Kind.PRE_RANKER, USER, ITEM, GROUPS, **{"seed": seed, **(pre or {})})
    second = put_scorer(store, Kind.RANKER, USER, ITEM, GROUPS, seed=seed)
    return with_models(BUNDLE, pre_ranker=first.model_version, ranker=second.model_version)


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    store, feed, readiness = ModelStore(tmp_path), FakeFeed(), FakeReadiness()
    bundle = ranked_bundle(store)
    version = feed.publish(bundle)
    with ThreadPoolExecutor(2) as executor:
        models = RankingModels(store, readiness, executor)
        async with BundleLoader(feed, readiness, models.load) as bundles:
            yield Rig(store, feed, readiness, bundles, Ranker(bundles, models, executor), version, bundle)
