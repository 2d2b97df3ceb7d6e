"""Settings of the projector, read once in `worker.py`; none of them changes what the rows hold."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from loopwright.lifecycle import ServiceSettings


class Pace(BaseModel):
    """Batch size and intervals of a stage."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    batch_records: int = Field(default=8000, ge=1, le=100_000, description="Most records folded in one step.")
    poll_interval_ms: int = Field(
        default=100, ge=1, le=10_000, description="Longest wait for records, and between looks at a parking request."
    )
    gather_ms: int = Field(
        default=400, ge=0, le=10_000, description="Wait after a small batch, so that the next one is worth its writes."
    )
    progress_interval_ms: int = Field(
        default=200, ge=10, le=10_000, description="Shortest time between two writes of a stage's progress."
    )
    sweep_interval_ms: int = Field(
        default=1000, ge=10, le=600_000, description="Shortest time between moving the marks of silent partitions."
    )
    retry_interval_ms: int = Field(
        default=500, ge=1, le=60_000, description="Wait before beginning anew after an outage of log or store."
    )
    rebuild_delay_ms: int = Field(
        default=500,
        ge=0,
        le=60_000,
        description="Wait before rebuilding an emptied store: longer than a reader goes without asking for progress.",
    )


class ProjectorSettings(ServiceSettings, service="projector"):
    """Environment variables `LOOPWRIGHT_PROJECTOR_...`."""

    redis_url: str = Field(default="redis://127.0.0.1:6379/0", description="Store of the rows.")
    redis_timeout_ms: int = Field(
        default=5000, ge=1, le=60_000, description="Longest wait for the store; then the stage begins anew."
    )
    key_namespace: str = Field(default="", description="Prefix of all keys in the store.")
    pace: Pace = Field(default=Pace(), description="Batch size and intervals of both stages.")
    cached_users: int = Field(default=20_000, ge=1, description="User rows kept decoded, about 30 KB each at most.")
    append_timeout_s: float = Field(
        default=10.0, gt=0, le=600, description="Longest wait for the log to acknowledge a batch."
    )
