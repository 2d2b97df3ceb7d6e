"""The mesh of one machine as a list that can be read: which process of ours runs with which settings.

In: addresses, a data folder, how many replicas of what. Out: a process specification per instance of a service; `mesh`
starts them, tests and deployment files are held against this list.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from loopwright.faults import FieldViolation, InvalidRequest
from loopwright.localmesh.process import ProcessSpec

LEAVES = ("hydration", "retrieval", "ranking", "policy", "exposure")
"""Services that the front door calls."""

SERVERS = ("kafka", "redis")
"""Names of the embedded servers' processes."""

MOST_REPLICAS = 16
EVERY_SERVICE = "*"


@dataclass(frozen=True, slots=True)
class Service:
    """One service of ours.

    Attributes:
        name: Name of the package, and of the process when there is one.
        module: What `python -m` runs.
        rpc: Whether it serves gRPC; otherwise it is a consumer.
        needs: Which of `redis`, `models`, `outbox`, `summary`, `leaves` its settings name.
        alone: Why there is one of it: "" where several may run side by side.
    """

    name: str
    module: str
    rpc: bool
    needs: tuple[str, ...]
    alone: str = ""


SERVICES: tuple[Service, ...] = (
    Service("policy", "loopwright.policy.server", True, (), "activations are decided by one writer"),
    Service("ingest", "loopwright.ingest.server", True, (), "colliding ids are refused by one writer"),
    Service("projector", "loopwright.projector.worker", False, ("redis",), "it folds every partition"),
    Service("retrieval", "loopwright.retrieval.server", True, ("models",)),
    Service("hydration", "loopwright.hydration.server", True, ("redis",)),
    Service("ranking", "loopwright.ranking.server", True, ("models",)),
    Service("exposure", "loopwright.exposure.server", True, ("redis", "outbox")),
    Service("monitor", "loopwright.monitor.worker", False, ("summary",), "it accounts for every partition"),
    Service("recommender", "loopwright.recommender.server", True, ("leaves",)),
)


@dataclass(frozen=True, slots=True)
class Instance:
    """One process of a service: number `index` of `count` replicas."""

    service: Service
    index: int = 0
    count: int = 1

    @property
    def name(self) -> str:
        """Name of the process: the service's, numbered where there are several."""
        return self.service.name if self.count == 1 else self.replica

    @property
    def replica(self) -> str:
        """Name on record, in readiness and of the outbox: numbered always, so that it outlives a change of `count`."""
        return f"{self.service.name}-{self.index}"


def instances(replicas: Mapping[str, int] | None = None) -> tuple[Instance, ...]:
    """Return every process of ours.

    Args:
        replicas: Service -> how many of it; one of each that is not named.

    Raises:
        InvalidRequest: There is no such service, it runs alone, or the number is out of range.
    """
    wanted = dict(replicas or {})
    known = {service.name: service for service in SERVICES}
    broken = [
        FieldViolation(f"replicas.{name}", "replicas", rule)
        for name, count in wanted.items()
        if (rule := _broken_rule(known.get(name), count))
    ]
    if broken:
        told = "; ".join(f"{one.field.removeprefix('replicas.')}: {one.description}" for one in broken)
        raise InvalidRequest(told, violations=broken)
    counts = [(service, wanted.get(service.name, 1)) for service in SERVICES]
    return tuple(Instance(service, index, count) for service, count in counts for index in range(count))


def _broken_rule(service: Service | None, count: int) -> str:
    if service is None:
        several = ", ".join(one.name for one in SERVICES if not one.alone)
        return f"is not a service; there may be several of {several}"
    if not 1 <= count <= MOST_REPLICAS:
        return f"must have 1 to {MOST_REPLICAS} replicas"
    if count > 1 and service.alone:
        return f"runs alone: {service.alone}"
    return ""


def instance_names(service: Service, addresses: Mapping[str, str]) -> list[str]:
    """Return the process names of a service in the addresses of a `run.json`, in the order of their numbers."""
    suffix = "" if service.rpc else ".metrics"
    numbered = re.compile(rf"{service.name}-(\d+){re.escape(suffix)}")
    found = sorted(int(match[1]) for address in addresses if (match := numbered.fullmatch(address)))
    return [f"{service.name}-{number}" for number in found] or [service.name]


def service_name(process: str) -> str:
    """Return the service of a process by its name: `ranking` of `ranking-1`."""
    return re.sub(r"-\d+$", "", process)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything of one mesh is: folder, embedded servers, and the ports of our processes by their names."""

    data_dir: Path
    kafka_bootstrap: str
    redis_url: str
    rpc_ports: Mapping[str, int]
    metrics_ports: Mapping[str, int]
    summary_port: int
    replicas: Mapping[str, int] = field(default_factory=dict)

    @property
    def instances(self) -> tuple[Instance, ...]:
        """Every process of ours."""
        return instances(self.replicas)

    @property
    def model_store(self) -> Path:
        """Folder of the model store."""
        return self.data_dir / "models"

    def outbox(self, replica: str) -> Path:
        """Return the folder of a replica's outbox."""
        return self.data_dir / "outbox" / replica

    def target(self, name: str) -> str:
        """Return what a channel to a process or to a service takes: `host:port`, or all of several replicas."""
        if name in self.rpc_ports:
            return f"127.0.0.1:{self.rpc_ports[name]}"
        ports = [self.rpc_ports[one.name] for one in self.instances if one.service.name == name]
        return "ipv4:" + ",".join(f"127.0.0.1:{port}" for port in ports)

    def metrics(self, name: str) -> str:
        """Return `host:port` of a process's /metrics."""
        return f"127.0.0.1:{self.metrics_ports[name]}"

    def addresses(self) -> dict[str, str]:
        """Return name -> address of everything, for `run.json`."""
        found = {"kafka": self.kafka_bootstrap, "redis": self.redis_url}
        found |= {one.service.name: self.target(one.service.name) for one in self.instances if one.service.rpc}
        found |= {name: self.target(name) for name in self.rpc_ports}
        found |= {f"{name}.metrics": self.metrics(name) for name in self.metrics_ports}
        return found | {"monitor.summary": f"127.0.0.1:{self.summary_port}"}


def environment(instance: Instance, layout: Layout) -> dict[str, str]:
    """Return the settings of a process as environment variables."""
    service = instance.service
    values = {
        "KAFKA_BOOTSTRAP": layout.kafka_bootstrap,
        "METRICS_PORT": str(layout.metrics_ports[instance.name]),
    }
    if instance.count > 1:
        values["REPLICA"] = instance.replica
    if service.rpc:
        values["RPC__PORT"] = str(layout.rpc_ports[instance.name])
    if "redis" in service.needs:
        values["REDIS_URL"] = layout.redis_url
    if "models" in service.needs:
        values["MODEL_STORE_PATH"] = str(layout.model_store)
    if "outbox" in service.needs:
        values["OUTBOX_PATH"] = str(layout.outbox(instance.replica))
    if "summary" in service.needs:
        values["SUMMARY_PORT"] = str(layout.summary_port)
    if "leaves" in service.needs:
        values |= {f"{leaf.upper()}_TARGET": layout.target(leaf) for leaf in LEAVES}
    prefix = f"LOOPWRIGHT_{service.name.upper()}_"
    # One thread per numeric library: processes are our unit of parallelism.
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return threads | {prefix + name: value for name, value in values.items()}


def process_spec(
    instance: Instance, layout: Layout, extra: Mapping[str, Mapping[str, str]] | None = None
) -> ProcessSpec:
    """Return how a process is run.

    Args:
        instance: Which one.
        layout: Where everything is.
        extra: Variables that win over ours, by `*` for every service, by service, and by process.
    """
    added: dict[str, str] = {}
    for name in dict.fromkeys((EVERY_SERVICE, instance.service.name, instance.name)):
        added |= (extra or {}).get(name, {})
    return ProcessSpec(
        name=instance.name,
        command=(sys.executable, "-m", instance.service.module),
        cwd=layout.data_dir,
        log_file=layout.data_dir / "logs" / f"{instance.name}.log",
        env=environment(instance, layout) | _import_path() | added,
    )


def _import_path() -> dict[str, str]:
    inherited = os.environ.get("PYTHONPATH")
    return {"PYTHONPATH": inherited} if inherited else {}
