"""Limits and waits of the Kafka client; `lifecycle` nests them into each service's settings."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class LogSettings(BaseModel):
    """Every number of the Kafka client that we do not leave to the library."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    open_timeout_s: float = Field(default=30.0, gt=0, description="Wait for a broker and its topics at the start.")
    request_timeout_s: float = Field(
        default=10.0, gt=0, description="Wait for one answer of the broker before its connection is closed."
    )
    lookup_timeout_s: float = Field(
        default=5.0, gt=0, description="Wait for offsets of partitions; later: LOG_UNAVAILABLE."
    )
    bulk_linger_s: float = Field(default=0.005, ge=0, description="Wait for more records before a bulk batch is sent.")
    bulk_batch_bytes: int = Field(
        default=512 * 1024, gt=0, description="Largest bulk batch per partition before compression."
    )
    renew_after_s: float = Field(
        default=5.0,
        gt=0,
        description="Time without any acknowledgement, appends failing, after which the producer is replaced.",
    )
    close_timeout_s: float = Field(
        default=5.0, gt=0, description="Time given to unsent records when the log is closed."
    )
    fetch_wait_s: float = Field(
        default=0.4, gt=0, description="Longest wait of an idle fetch; how stale `caught_up_at_ms` may be."
    )
    aging_fetch_wait_s: float = Field(
        default=3.0,
        gt=0,
        description="The same of a reader whose age nobody asks for; each idle answer costs broker and reader.",
    )
    gather_s: float = Field(
        default=0.25,
        ge=0,
        description="Wait of a patient tail after a small batch; an answer costs broker and reader a millisecond.",
    )
    partition_fetch_bytes: int = Field(
        default=2 * 1024 * 1024, gt=0, description="Most bytes one fetch brings of a partition."
    )
    stuck_after_s: float = Field(
        default=15.0,
        gt=0,
        description="Silence of a partition, while the log answers others, after which its reader is opened again.",
    )
