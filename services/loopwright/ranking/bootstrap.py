"""Composition root of ranking: wires the bundle feed, the models and the ranker."""

from __future__ import annotations

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from loopwright.bundle import BundleFeed
from loopwright.lifecycle import Process
from loopwright.modelstore import ModelStore
from loopwright.modelstore.loading import BundleLoader
from loopwright.ranking.config import RankingSettings
from loopwright.ranking.models import RankingModels
from loopwright.ranking.ranker import Ranker
from loopwright.ranking.servicer import RankingServicer


@dataclass(frozen=True, slots=True)
class Ranking:
    """Ranking, ready: the domain object for the one-process composition, the servicer for gRPC."""

    ranker: Ranker
    servicer: RankingServicer


@asynccontextmanager
async def bootstrap(settings: RankingSettings, process: Process) -> AsyncIterator[Ranking]:
    """Yield ranking with everything that published bundles pin loaded or refused.

    Args:
        settings: Ranking's settings.
        process: The running process: log, clock, readiness.

    Raises:
        LogUnavailable: The log cannot be read.
    """
    async with AsyncExitStack() as stack:
        scoring = stack.enter_context(ThreadPoolExecutor(settings.worker_threads, "scoring"))
        opening = stack.enter_context(ThreadPoolExecutor(1, "opening"))
        feed = await stack.enter_async_context(BundleFeed(process.log))
        models = RankingModels(ModelStore(settings.model_store_path), process.readiness, opening)
        bundles = await stack.enter_async_context(BundleLoader(feed, process.readiness, models.load))
        process.watch(feed)
        process.watch(bundles)
        ranker = Ranker(bundles, models, scoring)
        yield Ranking(ranker, RankingServicer(ranker))
