"""`RankingModels`: a bundle's pins in, a verified pair of rankers out; each version is opened once and kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TypeVar

from loopwright.bundle import PolicyBundle
from loopwright.faults import ModelRejected
from loopwright.featurespec.groups import width
from loopwright.modelstore import Manifest, ModelFeatureMismatch, ModelInvalid, ModelStore
from loopwright.modelstore.loading import Readiness
from loopwright.modelstore.models import MultiTaskRanker, PreRanker, open_pre_ranker, open_ranker
from loopwright.modelstore.verification import check_features
from loopwright.telemetry import count, names

M = TypeVar("M", PreRanker, MultiTaskRanker)


@dataclass(frozen=True, slots=True)
class Rankers:
    """What one bundle ranks with; both None when it pins no rankers."""

    pre_ranker: PreRanker | None = None
    ranker: MultiTaskRanker | None = None

    def versions(self) -> tuple[str, str]:
        """Return the versions of pre-ranker and ranker, empty where there is none."""
        return (
            self.pre_ranker.version if self.pre_ranker else "",
            self.ranker.version if self.ranker else "",
        )


class RankingModels:
    """Opens and verifies models in an executor, and reports each version as loaded or rejected."""

    def __init__(self, store: ModelStore, readiness: Readiness, executor: Executor) -> None:
        self._store, self._readiness, self._executor = store, readiness, executor
        self._pre_rankers: dict[str, PreRanker] = {}
        self._rankers: dict[str, MultiTaskRanker] = {}
        self._quarantined: dict[str, ModelRejected] = {}

    async def load(self, bundle: PolicyBundle) -> Rankers:
        """Return the rankers that a bundle pins.

        Raises:
            ModelRejected: A model fails verification, reads other columns than the bundle hydrates, or lacks a head
                that the bundle weighs.
        """
        if not bundle.models.ranked:
            return Rankers()
        pre_ranker = await self._open("pre_ranker", bundle.models.pre_ranker, self._pre_rankers, open_pre_ranker)
        ranker = await self._open("ranker", bundle.models.ranker, self._rankers, open_ranker)
        for model in (pre_ranker, ranker):
            _check_columns(model, bundle)
        lacking = sorted(set(bundle.objective.weights) - set(ranker.heads))
        if lacking:
            raise ModelInvalid(f"the bundle weighs heads that its ranker lacks: {', '.join(lacking)}")
        return Rankers(pre_ranker, ranker)

    async def quarantine(self, kind: str, version: str, fault: ModelRejected) -> None:
        """Refuse a model that failed in service from now on, and report it; only a restart tries it again."""
        self._quarantined[version] = fault
        count(names.MODEL_REJECTIONS, model=kind, reason=fault.reason)
        await self._readiness.rejected(kind, version, str(fault))

    async def _open(
        self, kind: str, version: str, opened: dict[str, M], open_model: Callable[[ModelStore, str], M]
    ) -> M:
        if version in self._quarantined:
            raise self._quarantined[version]
        if version not in opened:
            loop = asyncio.get_running_loop()
            try:
                model = await loop.run_in_executor(self._executor, open_model, self._store, version)
            except ModelRejected as fault:
                count(names.MODEL_REJECTIONS, model=kind, reason=fault.reason)
                await self._readiness.rejected(kind, version, str(fault))
                raise
            opened[version] = model
            count(names.MODEL_LOADS, model=kind)
            await self._readiness.loaded(kind, version)
        return opened[version]


def _check_columns(model: PreRanker | MultiTaskRanker, bundle: PolicyBundle) -> None:
    manifest: Manifest = model.manifest
    check_features(manifest, (*bundle.features.user, *bundle.features.item))
    if model.user_width != width(bundle.features.user) or model.item_width != width(bundle.features.item):
        raise ModelFeatureMismatch("the graph reads another number of columns than its feature groups have")
