"""One machine's mesh from nothing to ready and back: embedded servers, topics, then our services side by side.

`loopwright up` runs `serve` in a process of its own that stays as the supervisor; tests run a mesh in a block.
"""

from __future__ import annotations

import asyncio
import logging
import os
import urllib.request
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import psutil
from grpc_health.v1 import health_pb2, health_pb2_grpc

from loopwright.eventlog import ensure_topics
from loopwright.localmesh.embedded import EmbeddedServers
from loopwright.localmesh.ports import free_ports
from loopwright.localmesh.process import ProcessRecord
from loopwright.localmesh.run_file import RunFile, remove_run_file
from loopwright.localmesh.supervisor import Runnable, ServiceProcess, Supervisor
from loopwright.localmesh.topology import SERVICES, Layout, Service, process_spec

LOG = logging.getLogger(__name__)

READY_WITHIN_S = 90.0
GRACE_S = 8.0
START_ATTEMPTS = 2
"""A free port is only free when it is looked at; another process may take it before ours binds it."""
PARTITIONS = 4
"""Physical partitions of every topic on one machine; divides the 64 logical ones."""


class TopicSetup:
    """Stands between the servers and the services: creates what topics are missing."""

    name = "topics"
    exit_code = None

    def __init__(self, bootstrap: str) -> None:
        """Take the broker's address."""
        self._bootstrap = bootstrap

    async def start(self) -> ProcessRecord:
        """Create missing topics; the record is this process's own."""
        await ensure_topics(self._bootstrap, partitions=PARTITIONS)
        return own_record("topics")

    async def stop(self) -> None:
        """Topics stay."""


def own_record(name: str) -> ProcessRecord:
    """Return who this process is."""
    return ProcessRecord(name, os.getpid(), psutil.Process().create_time())


def new_layout(data_dir: Path, servers: EmbeddedServers) -> Layout:
    """Return a layout on free loopback ports."""
    served = [service.name for service in SERVICES if service.rpc]
    ports = free_ports(len(served) + len(SERVICES) + 1)
    return Layout(
        data_dir=data_dir,
        kafka_bootstrap=servers.kafka_bootstrap,
        redis_url=servers.redis_url,
        rpc_ports=dict(zip(served, ports, strict=False)),
        metrics_ports={s.name: p for s, p in zip(SERVICES, ports[len(served) :], strict=False)},
        summary_port=ports[-1],
    )


async def serving(target: str) -> bool:
    """Say whether the gRPC server at `target` reports itself as SERVING."""
    async with grpc.aio.insecure_channel(target) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        try:
            answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=1.0)
        except grpc.aio.AioRpcError:
            return False
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


async def answering(url: str) -> bool:
    """Say whether an HTTP endpoint answers."""

    def ask() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=1.0) as response:
                return int(response.status) == 200
        except OSError:
            return False

    return await asyncio.to_thread(ask)


def runnable(service: Service, layout: Layout) -> ServiceProcess:
    """Return a service as something the supervisor can start and watch."""

    async def ready() -> bool:
        if service.rpc:
            return await serving(layout.target(service.name))
        return await answering(f"http://127.0.0.1:{layout.metrics_ports[service.name]}/metrics")

    return ServiceProcess(process_spec(service, layout), ready, within_s=READY_WITHIN_S, grace_s=GRACE_S)


def stages(servers: EmbeddedServers, layout: Layout) -> list[Sequence[Runnable]]:
    """Return start order: servers, topics, then our services."""
    # Side by side: no service needs another one to become ready, only to answer.
    ours = [runnable(service, layout) for service in SERVICES]
    return [[servers.kafka, servers.redis], [TopicSetup(layout.kafka_bootstrap)], ours]


def _prepared(data_dir: Path) -> Path:
    (data_dir / "models").mkdir(parents=True, exist_ok=True)
    return data_dir.resolve()


class _Mesh:
    """One attempt to run the mesh of a folder, on ports of its own."""

    def __init__(self, data_dir: Path) -> None:
        servers = EmbeddedServers(data_dir)
        self.layout = new_layout(data_dir, servers)
        self.supervisor = Supervisor(stages(servers, self.layout), self._changed)
        self._me = own_record("supervisor")
        self._ready = False

    async def start(self, progress: Callable[[str], None] | None) -> None:
        """Start everything and tell `run.json`."""
        self._changed({})
        await self.supervisor.start(progress)
        self._ready = True
        self._changed(self.supervisor.records)

    def _changed(self, records: Mapping[str, ProcessRecord]) -> None:
        ours = tuple(record for name, record in records.items() if name != "topics")
        addresses = self.layout.addresses() if self._ready else {}
        RunFile(supervisor=self._me, processes=ours, addresses=addresses).write(self.layout.data_dir)


async def _started(data_dir: Path, progress: Callable[[str], None] | None) -> _Mesh:
    for attempt in range(1, START_ATTEMPTS + 1):
        mesh = _Mesh(data_dir)
        try:
            await mesh.start(progress)
        except ExceptionGroup as failed:
            if attempt == START_ATTEMPTS:
                raise
            LOG.warning("the mesh did not start and is tried again on other ports: %s", failed.exceptions)
        else:
            break
    return mesh


@asynccontextmanager
async def running_mesh(data_dir: Path, progress: Callable[[str], None] | None = None) -> AsyncIterator[Layout]:
    """Start the mesh, keep it running, and stop it on leaving; `run.json` tells others about it.

    Raises:
        ExceptionGroup: of the faults of what did not start, twice; all that did is stopped again.
    """
    data_dir = _prepared(data_dir)
    try:
        mesh = await _started(data_dir, progress)
        watching = asyncio.create_task(mesh.supervisor.watch())
        try:
            yield mesh.layout
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            await mesh.supervisor.stop()
    finally:
        remove_run_file(data_dir)
