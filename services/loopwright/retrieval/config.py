"""Settings of retrieval, read once in `server.py`; what shapes decisions is in the bundle, not here."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from loopwright.lifecycle import ServiceSettings
from loopwright.rpc import RpcSettings


class RetrievalSettings(ServiceSettings, service="retrieval"):
    """Environment variables `LOOPWRIGHT_RETRIEVAL_...`."""

    rpc: RpcSettings = Field(default=RpcSettings(port=7101), description="Where retrieval listens.")
    model_store_path: Path = Field(
        default=Path(".loopwright/models"), description="Folder of the model store; read only."
    )
    worker_threads: int = Field(
        default=2, ge=1, le=64, description="Threads that sources run on; as many as the process has CPUs."
    )
    index_refresh_ms: int = Field(
        default=200, ge=10, le=60_000, description="Longest wait before a new or changed item is searchable."
    )
    graph_interval_s: float = Field(
        default=1.0, ge=0.05, le=3600, description="Shortest time between two builds of the co-visitation graph."
    )
