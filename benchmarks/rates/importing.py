"""Interactions through gRPC into rows of the mirror: ingest and projector as processes, a mirror beside the sender."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from benchmarks.rates.servers import Servers
from benchmarks.rates.world import LIKE_AT, interactions, items
from loopwright.cli.importing.clients import IngestClient
from loopwright.cli.importing.command import INTERACTION_BATCH, ITEM_BATCH
from loopwright.cli.importing.convert import interactions_request, items_request
from loopwright.cli.importing.rows import ItemRow, Reject
from loopwright.cli.importing.stream import send_batches
from loopwright.featurespec.facts import Counter
from loopwright.localmesh.ports import free_ports, is_listening
from loopwright.localmesh.process import ProcessSpec
from loopwright.localmesh.supervisor import ServiceProcess
from loopwright.mirror import ItemMirror
from loopwright.rpc import open_channel

USERS, ITEMS = 5000, 20_000
_WITHIN_S = 120.0


class Import:
    """A catalogue in the mesh and a stream of interactions that goes on from round to round."""

    def __init__(self, client: IngestClient, mirror: ItemMirror, processes: Sequence[ServiceProcess]) -> None:
        self._client, self._mirror, self._processes = client, mirror, processes
        self._sent = 0

    async def catalogue(self) -> float:
        """Send all items and return the milliseconds until the mirror holds them."""
        rows: Sequence[tuple[ItemRow, int | None]] = [(row, None) for row in items(ITEMS)]
        began = time.perf_counter()
        await self._send(self._client.items, rows, items_request, ITEM_BATCH)
        await self._visible(lambda: len(self._mirror.table), ITEMS)
        return (time.perf_counter() - began) * 1000

    async def interactions(self, count: int) -> tuple[float, float]:
        """Send the next `count` rows; return the milliseconds until all are durable, and until the mirror shows all."""
        rows = interactions(count, users=USERS, items=ITEMS, start=self._sent)
        began = time.perf_counter()
        await self._send(
            self._client.interactions,
            rows,
            lambda batch, part: interactions_request(batch, part, like_at=LIKE_AT, event_time=True, surface="home"),
            INTERACTION_BATCH,
        )
        durable = time.perf_counter() - began
        self._sent += count
        await self._visible(self._rated, self._sent)
        return durable * 1000, (time.perf_counter() - began) * 1000

    def _rated(self) -> int:
        return int(self._mirror.table.counts.totals[:, Counter.RATINGS].sum())

    async def _send(
        self,
        call: Callable[..., Any],
        rows: Sequence[Any],
        message: Callable[[int, Sequence[Any]], Any],
        batch_rows: int,
    ) -> None:
        rejects: list[Reject] = []

        async def acknowledged(_: int) -> None:
            return

        accepted = await send_batches(
            lambda requests: call(requests, timeout=_WITHIN_S),
            rows,
            message,
            batch_rows=batch_rows,
            acknowledged=acknowledged,
            rejected=lambda row, field, reason: Reject("", 0, field, reason),
            rejects=rejects,
        )
        if accepted != len(rows):
            raise ValueError(f"{accepted} of {len(rows)} rows were accepted: {rejects[:3]}")

    async def _visible(self, seen: Callable[[], int], count: int) -> None:
        async with asyncio.timeout(_WITHIN_S):
            while (found := seen()) < count:
                ended = [process.name for process in self._processes if process.exit_code is not None]
                if self._mirror.failure is not None or ended:
                    raise RuntimeError(f"ended: {ended or 'the mirror'}") from self._mirror.failure
                await asyncio.sleep(0.01)
        if found != count:
            raise ValueError(f"the mirror shows {found} instead of {count}")


@asynccontextmanager
async def importing(servers: Servers, prefix: str) -> AsyncIterator[Import]:
    """Yield an importer of a mesh of three: ingest, the projector, a mirror."""
    port, ingest_metrics, projector_metrics = free_ports(3)
    ingest = {
        "KAFKA_BOOTSTRAP": servers.kafka,
        "TOPIC_PREFIX": prefix,
        "RPC__PORT": str(port),
        "METRICS_PORT": str(ingest_metrics),
    }
    projector = {
        "KAFKA_BOOTSTRAP": servers.kafka,
        "TOPIC_PREFIX": prefix,
        "REDIS_URL": servers.redis,
        "KEY_NAMESPACE": prefix,
        "METRICS_PORT": str(projector_metrics),
    }
    async with AsyncExitStack() as stack:
        processes = [
            await stack.enter_async_context(_running(servers, name, module, settings, listens))
            for name, module, settings, listens in (
                ("ingest", "loopwright.ingest.server", ingest, port),
                ("projector", "loopwright.projector.worker", projector, projector_metrics),
            )
        ]
        log = await stack.enter_async_context(servers.log(prefix, "hydration"))
        mirror = ItemMirror(log)
        await mirror.start()
        stack.push_async_callback(mirror.stop)
        channel = await stack.enter_async_context(open_channel(f"127.0.0.1:{port}"))
        yield Import(IngestClient(channel), mirror, processes)


@asynccontextmanager
async def _running(
    servers: Servers, name: str, module: str, settings: dict[str, str], port: int
) -> AsyncIterator[ServiceProcess]:
    spec = ProcessSpec(
        name=name,
        command=(sys.executable, "-m", module),
        cwd=servers.folder,
        log_file=servers.folder / "logs" / f"{name}.log",
        env={f"LOOPWRIGHT_{name.upper()}_{key}": value for key, value in settings.items()},
    )
    process = ServiceProcess(spec, lambda: is_listening(port), within_s=60.0, grace_s=10.0)
    await process.start()
    try:
        yield process
    finally:
        await process.stop()
