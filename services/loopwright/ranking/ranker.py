"""`Ranker`: the score stage. One request's columns in, scores in request order out; the whole batch in one hop."""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loopwright.bundle import PolicyBundle
from loopwright.faults import BundleNotLoaded, DeadlineExceeded, FieldViolation, InvalidRequest
from loopwright.modelstore import ModelFeatureMismatch, ModelNotFinite
from loopwright.modelstore.loading import BundleLoader
from loopwright.modelstore.models import MultiTaskRanker, PreRanker
from loopwright.pipeline.cut import best_rows
from loopwright.pipeline.types import ScoreQuery, Scores
from loopwright.ranking.models import Rankers, RankingModels
from loopwright.rpc import Deadline
from loopwright.rpc.alarms import within


class Ranker:
    """Scores candidates under the models that the request's bundle pins; never reorders, drops or adds any."""

    def __init__(self, bundles: BundleLoader[PolicyBundle, Rankers], models: RankingModels, executor: Executor) -> None:
        self._bundles, self._models, self._executor = bundles, models, executor

    async def score(self, query: ScoreQuery, deadline: Deadline) -> Scores:
        """Return a pre-rank score for every candidate and head scores for the best N.

        Raises:
            BundleNotLoaded: The bundle is not loaded here, pins other versions, or its model has been quarantined.
            ModelFeatureMismatch: The columns are of other feature groups than the models read.
            InvalidRequest: Lengths disagree, or an input is not finite.
            DeadlineExceeded: Scoring took longer than the caller waits.
        """
        pre_ranker, ranker = self._pair(query)
        check_query(query, pre_ranker, ranker)
        loop = asyncio.get_running_loop()
        try:
            with within(deadline.remaining()):
                return await loop.run_in_executor(self._executor, scores_of, query, pre_ranker, ranker)
        except TimeoutError as error:
            raise DeadlineExceeded() from error
        except _NotFinite as failure:
            await self._quarantine(query.policy_version, failure)
            raise BundleNotLoaded(
                "a model of this bundle answered NaN or infinity and was taken out of service",
                metadata={"policy_version": query.policy_version, "cause": failure.fault.reason},
            ) from failure

    def _pair(self, query: ScoreQuery) -> tuple[PreRanker, MultiTaskRanker]:
        rankers = self._bundles.get(query.policy_version)
        asked = (query.pre_ranker_version, query.ranker_version)
        if rankers.pre_ranker is None or rankers.ranker is None or rankers.versions() != asked:
            raise BundleNotLoaded(
                "the bundle pins other models than the request names", metadata={"policy_version": query.policy_version}
            )
        return rankers.pre_ranker, rankers.ranker

    async def _quarantine(self, policy_version: str, failure: _NotFinite) -> None:
        await self._models.quarantine(failure.kind, failure.version, failure.fault)
        for version, rankers in self._bundles.loaded().items():
            if failure.version in rankers.versions():
                await self._bundles.withdraw(version, failure.fault)


class _NotFinite(Exception):
    """A model's output was not finite: which model, and the fault."""

    def __init__(self, kind: str, version: str, fault: ModelNotFinite) -> None:
        super().__init__(kind, version)
        self.kind, self.version, self.fault = kind, version, fault


def scores_of(query: ScoreQuery, pre_ranker: PreRanker, ranker: MultiTaskRanker) -> Scores:
    """Return the scores of a request: pre-rank scores of all rows in one batch, heads of the best in a second one.

    Verification scores the same two batches, in the same orders.
    """
    n = len(query.item_ids)
    if n == 0:
        empty = np.zeros(0, dtype=np.float32)
        return Scores(empty, np.zeros(0, np.uint32), np.zeros((0, len(ranker.heads)), np.float32), ranker.heads)
    try:
        pre_scores = pre_ranker.score(query.user_columns, query.item_columns, query.signals)
    except ModelNotFinite as fault:
        raise _NotFinite("pre_ranker", pre_ranker.version, fault) from fault
    best = best_rows(pre_scores, query.item_ids, query.best_n)
    try:
        heads = ranker.score(
            query.user_columns,
            query.item_columns.take(best, axis=0),
            query.signals.take(best, axis=0),
            float(query.position),
        )
    except ModelNotFinite as fault:
        raise _NotFinite("ranker", ranker.version, fault) from fault
    return Scores(pre_scores, best, heads, ranker.heads)


def check_query(query: ScoreQuery, pre_ranker: PreRanker, ranker: MultiTaskRanker) -> None:
    """Refuse a request whose arrays are not what the models read.

    Raises:
        ModelFeatureMismatch: Other feature groups.
        InvalidRequest: Lengths or widths disagree, or an input is not finite.
    """
    for model in (pre_ranker, ranker):
        if query.feature_groups != model.feature_groups:
            raise ModelFeatureMismatch("the request's feature groups are not those that the models read")
    n = len(query.item_ids)
    wanted: dict[str, tuple[NDArray[Any], tuple[int, ...]]] = {
        "user_columns": (query.user_columns, (ranker.user_width,)),
        "item_columns": (query.item_columns, (n, ranker.item_width)),
        "signals": (query.signals, (n, ranker.signal_width)),
    }
    wrong = [
        FieldViolation(name, "tensor.shape", f"must have the shape {shape}")
        for name, (array, shape) in wanted.items()
        if array.shape != shape
    ]
    wrong += [
        FieldViolation(name, "tensor.finite", "must be finite")
        for name, (array, _) in wanted.items()
        if not _all_finite(array)
    ]
    if wrong:
        raise InvalidRequest("the columns do not fit the models", violations=wrong)


_EXPONENT16 = np.uint16(0x7C00)
"""Exponent bits of a float16, all set in infinities and NaN (IEEE 754, binary16)."""


def _all_finite(array: NDArray[Any]) -> bool:
    if array.dtype == np.float16 and array.flags.c_contiguous:  # numpy widens every float16 to ask the same
        return not ((array.view(np.uint16) & _EXPONENT16) == _EXPONENT16).any()
    return bool(np.isfinite(array).all())
