"""One machine's mesh from nothing to ready and back: embedded servers, topics, then our services side by side.

`loopwright up` runs `running_mesh` in a process of its own that stays as the supervisor; tests run a mesh in a block.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import psutil

from loopwright.eventlog import ensure_topics
from loopwright.faults import FieldViolation, InvalidRequest
from loopwright.localmesh.control import READY_WITHIN_S, LocalMesh
from loopwright.localmesh.embedded import EmbeddedServers
from loopwright.localmesh.failures import OutboxStranded
from loopwright.localmesh.keeping import Runnable
from loopwright.localmesh.ports import free_ports
from loopwright.localmesh.probes import answering, serving
from loopwright.localmesh.process import ProcessRecord
from loopwright.localmesh.run_file import RunFile, remove_run_file
from loopwright.localmesh.supervisor import ServiceProcess, Supervisor
from loopwright.localmesh.topology import EVERY_SERVICE, Instance, Layout, instances, process_spec

LOG = logging.getLogger(__name__)

GRACE_S = 8.0
START_ATTEMPTS = 2
"""A free port is only free when it is looked at; another process may take it before ours binds it."""
PARTITIONS = 4
"""Physical partitions of every topic on one machine; divides the 64 logical ones."""

Environments = Mapping[str, Mapping[str, str]]
"""Extra variables by service or process name; `*` is every service."""


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

    async def stop(self) -> bool:
        """Topics stay."""
        return True

    async def answers(self) -> bool:
        """Say that they are there."""
        return True

    def send(self, number: signal.Signals) -> None:
        """Nothing of its own runs."""


def own_record(name: str) -> ProcessRecord:
    """Return who this process is."""
    return ProcessRecord(name, os.getpid(), psutil.Process().create_time())


def new_layout(data_dir: Path, servers: EmbeddedServers, replicas: Mapping[str, int] | None = None) -> Layout:
    """Return a layout on free loopback ports.

    Raises:
        InvalidRequest: there can be no such replicas.
    """
    every = [instance.name for instance in instances(replicas)]
    served = [instance.name for instance in instances(replicas) if instance.service.rpc]
    ports = free_ports(len(served) + len(every) + 1)
    return Layout(
        data_dir=data_dir,
        kafka_bootstrap=servers.kafka_bootstrap,
        redis_url=servers.redis_url,
        rpc_ports=dict(zip(served, ports, strict=False)),
        metrics_ports=dict(zip(every, ports[len(served) :], strict=False)),
        summary_port=ports[-1],
        replicas=dict(replicas or {}),
    )


def runnable(instance: Instance, layout: Layout, env: Environments | None = None) -> ServiceProcess:
    """Return a process of ours as something the supervisor can start and watch."""

    async def ready() -> bool:
        if instance.service.rpc:
            return await serving(layout.target(instance.name))
        return await answering(f"http://{layout.metrics(instance.name)}/metrics")

    return ServiceProcess(process_spec(instance, layout, env), ready, within_s=READY_WITHIN_S, grace_s=GRACE_S)


def stages(servers: EmbeddedServers, layout: Layout, env: Environments | None = None) -> list[Sequence[Runnable]]:
    """Return start order: servers, topics, then our services."""
    # Side by side: no service needs another one to become ready, only to answer.
    ours = [runnable(instance, layout, env) for instance in layout.instances]
    return [[servers.kafka, servers.redis], [TopicSetup(layout.kafka_bootstrap)], ours]


def stranded_outboxes(data_dir: Path, replicas: Mapping[str, int] | None = None) -> list[str]:
    """Return the replicas that are not to run and have records waiting in an outbox."""
    running = {instance.replica for instance in instances(replicas)}
    waiting = (data_dir / "outbox").glob("*/outbox-*.log")
    left = {log.parent.name for log in waiting if log.stat().st_size}
    return sorted(left - running)


def _prepared(data_dir: Path, replicas: Mapping[str, int], env: Environments) -> Path:
    known = {EVERY_SERVICE} | {name for one in instances(replicas) for name in (one.service.name, one.name)}
    strangers = sorted(set(env) - known)
    if strangers:
        rule = f"not a service or process: {', '.join(strangers)}"
        raise InvalidRequest(rule, violations=[FieldViolation("env", "names", rule)])
    stranded = stranded_outboxes(data_dir, replicas)
    if stranded:
        raise OutboxStranded(f"records wait in the outbox of {', '.join(stranded)}: start as many replicas once more")
    (data_dir / "models").mkdir(parents=True, exist_ok=True)
    return data_dir.resolve()


class _Mesh:
    """One attempt to run the mesh of a folder, on ports of its own."""

    def __init__(self, data_dir: Path, replicas: Mapping[str, int], env: Environments) -> None:
        servers = EmbeddedServers(data_dir)
        self.layout = new_layout(data_dir, servers, replicas)
        self.supervisor = Supervisor(stages(servers, self.layout, env), self._changed)
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


async def _started(
    data_dir: Path, progress: Callable[[str], None] | None, replicas: Mapping[str, int], env: Environments
) -> _Mesh:
    for attempt in range(1, START_ATTEMPTS + 1):
        mesh = _Mesh(data_dir, replicas, env)
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
async def running_mesh(
    data_dir: Path,
    progress: Callable[[str], None] | None = None,
    *,
    replicas: Mapping[str, int] | None = None,
    env: Environments | None = None,
) -> AsyncIterator[LocalMesh]:
    """Start the mesh, keep it running, and stop it on leaving; `run.json` tells others about it.

    Args:
        data_dir: Where its data, logs and `run.json` lie.
        progress: Told the name of each process that got ready.
        replicas: Service -> how many of it; one of each that is not named.
        env: Extra environment, over ours.

    Raises:
        InvalidRequest: there can be no such replicas, or `env` names what is not there.
        OutboxStranded: a replica that is not to run has left records in its outbox.
        ExceptionGroup: of the faults of what did not start, twice; all that did is stopped again.
    """
    data_dir = _prepared(data_dir, replicas or {}, env or {})
    try:
        mesh = await _started(data_dir, progress, replicas or {}, env or {})
        watching = asyncio.create_task(mesh.supervisor.watch())
        try:
            yield LocalMesh(mesh.layout, mesh.supervisor)
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            await mesh.supervisor.stop()
    finally:
        remove_run_file(data_dir)
