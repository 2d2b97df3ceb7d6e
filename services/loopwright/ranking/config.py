"""Settings of ranking, read once in `server.py`; what shapes decisions is in the bundle, not here."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from loopwright.lifecycle import ServiceSettings
from loopwright.rpc import RpcSettings


class RankingSettings(ServiceSettings, service="ranking"):
    """Environment variables `LOOPWRIGHT_RANKING_...`."""

    rpc: RpcSettings = Field(default=RpcSettings(port=7103), description="Where ranking listens.")
    model_store_path: Path = Field(
        default=Path(".loopwright/models"), description="Folder of the model store; read only."
    )
    worker_threads: int = Field(
        default=2, ge=1, le=64, description="Threads that score at once; as many as the process has CPUs."
    )
