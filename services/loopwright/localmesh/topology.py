"""The mesh of one machine as a list that can be read: which process of ours runs with which settings.

In: addresses and a data folder. Out: a process specification per service; `mesh` starts them, tests and deployment
files are held against this list.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from loopwright.localmesh.process import ProcessSpec

LEAVES = ("hydration", "retrieval", "ranking", "policy", "exposure")
"""Services that the front door calls."""


@dataclass(frozen=True, slots=True)
class Service:
    """One service of ours.

    Attributes:
        name: Name of the package and of the process.
        module: What `python -m` runs.
        rpc: Whether it serves gRPC; otherwise it is a consumer.
        needs: Which of `redis`, `models`, `outbox`, `summary`, `leaves` its settings name.
    """

    name: str
    module: str
    rpc: bool
    needs: tuple[str, ...]


SERVICES: tuple[Service, ...] = (
    Service("policy", "loopwright.policy.server", True, ()),
    Service("ingest", "loopwright.ingest.server", True, ()),
    Service("projector", "loopwright.projector.worker", False, ("redis",)),
    Service("retrieval", "loopwright.retrieval.server", True, ("models",)),
    Service("hydration", "loopwright.hydration.server", True, ("redis",)),
    Service("ranking", "loopwright.ranking.server", True, ("models",)),
    Service("exposure", "loopwright.exposure.server", True, ("redis", "outbox")),
    Service("monitor", "loopwright.monitor.worker", False, ("summary",)),
    Service("recommender", "loopwright.recommender.server", True, ("leaves",)),
)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything of one mesh is: folder, addresses of the embedded servers, and the ports of our services."""

    data_dir: Path
    kafka_bootstrap: str
    redis_url: str
    rpc_ports: Mapping[str, int]
    metrics_ports: Mapping[str, int]
    summary_port: int

    @property
    def model_store(self) -> Path:
        """Folder of the model store."""
        return self.data_dir / "models"

    def target(self, service: str) -> str:
        """Return `host:port` of a service's gRPC server."""
        return f"127.0.0.1:{self.rpc_ports[service]}"

    def addresses(self) -> dict[str, str]:
        """Return name -> address of everything, for `run.json`."""
        found = {"kafka": self.kafka_bootstrap, "redis": self.redis_url}
        found |= {name: self.target(name) for name in self.rpc_ports}
        found |= {f"{name}.metrics": f"127.0.0.1:{port}" for name, port in self.metrics_ports.items()}
        return found | {"monitor.summary": f"127.0.0.1:{self.summary_port}"}


def environment(service: Service, layout: Layout) -> dict[str, str]:
    """Return the settings of a service as environment variables."""
    values = {
        "KAFKA_BOOTSTRAP": layout.kafka_bootstrap,
        "METRICS_PORT": str(layout.metrics_ports[service.name]),
    }
    if service.rpc:
        values["RPC__PORT"] = str(layout.rpc_ports[service.name])
    if "redis" in service.needs:
        values["REDIS_URL"] = layout.redis_url
    if "models" in service.needs:
        values["MODEL_STORE_PATH"] = str(layout.model_store)
    if "outbox" in service.needs:
        values["OUTBOX_PATH"] = str(layout.data_dir / "outbox" / f"{service.name}-0")
    if "summary" in service.needs:
        values["SUMMARY_PORT"] = str(layout.summary_port)
    if "leaves" in service.needs:
        values |= {f"{leaf.upper()}_TARGET": layout.target(leaf) for leaf in LEAVES}
    prefix = f"LOOPWRIGHT_{service.name.upper()}_"
    # One thread per numeric library: processes are our unit of parallelism.
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return threads | {prefix + name: value for name, value in values.items()}


def process_spec(service: Service, layout: Layout) -> ProcessSpec:
    """Return how a service is run."""
    return ProcessSpec(
        name=service.name,
        command=(sys.executable, "-m", service.module),
        cwd=layout.data_dir,
        log_file=layout.data_dir / "logs" / f"{service.name}.log",
        env=environment(service, layout) | _import_path(),
    )


def _import_path() -> dict[str, str]:
    inherited = os.environ.get("PYTHONPATH")
    return {"PYTHONPATH": inherited} if inherited else {}
