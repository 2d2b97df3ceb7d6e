"""Composition root of retrieval: wires mirror, graph, bundles, models, sources and the retriever."""

from __future__ import annotations

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

from loopwright.bundle import BundleFeed
from loopwright.featurespec.table import ItemTable
from loopwright.lifecycle import Process
from loopwright.mirror import ItemMirror
from loopwright.modelstore import ModelStore
from loopwright.modelstore.loading import BundleLoader
from loopwright.retrieval.asking import Threads
from loopwright.retrieval.config import RetrievalSettings
from loopwright.retrieval.graph_keeper import GraphKeeper
from loopwright.retrieval.items import ItemSnapshots
from loopwright.retrieval.retriever import Retriever
from loopwright.retrieval.servicer import RetrievalServicer
from loopwright.retrieval.sources import SOURCES
from loopwright.retrieval.tower_keeper import TowerKeeper


@dataclass(frozen=True, slots=True)
class Retrieval:
    """Retrieval, ready: the domain object for the one-process composition, the servicer for gRPC."""

    retriever: Retriever
    servicer: RetrievalServicer


@asynccontextmanager
async def bootstrap(settings: RetrievalSettings, process: Process) -> AsyncIterator[Retrieval]:
    """Yield retrieval with its mirrors caught up and everything that published bundles pin loaded or refused.

    Args:
        settings: Retrieval's settings.
        process: The running process: log, clock, readiness.

    Raises:
        LogUnavailable: The log cannot be read.
    """
    async with AsyncExitStack() as stack:
        asking = stack.enter_context(ThreadPoolExecutor(settings.worker_threads, "source"))
        making = stack.enter_context(ThreadPoolExecutor(1, "answer"))
        building = stack.enter_context(ThreadPoolExecutor(1, "index"))
        graphing = stack.enter_context(ThreadPoolExecutor(1, "graph"))
        table = ItemTable()
        mirror: ItemMirror
        towers = TowerKeeper(
            ModelStore(settings.model_store_path),
            table,
            process.readiness,
            building,
            interval_s=settings.index_refresh_ms / 1000,
            position=lambda: mirror.progress(),
            folded=partial(process.readiness.progress, "mirror"),
        )
        mirror = ItemMirror(process.log, table, on_rows=towers.touch)
        await mirror.start()
        stack.push_async_callback(mirror.stop)
        graph = await stack.enter_async_context(
            GraphKeeper(process.log, graphing, settings.graph_interval_s, partial(process.readiness.progress, "graph"))
        )
        feed = await stack.enter_async_context(BundleFeed(process.log))
        await stack.enter_async_context(towers)
        bundles = await stack.enter_async_context(BundleLoader(feed, process.readiness, towers.load))
        for part in (mirror, graph.tail, graph, feed, towers, bundles):
            process.watch(part)
        threads = Threads(asking, making)
        retriever = Retriever(bundles, ItemSnapshots(table).at, lambda: graph.graph, SOURCES, threads)
        yield Retrieval(retriever, RetrievalServicer(retriever))
