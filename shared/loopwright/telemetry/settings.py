"""Settings of the trace export, nested into each service's own as `telemetry`; read once, passed to `configure`."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class TelemetrySettings(BaseModel):
    """Where spans go, which share of the traces, and how much may wait; without an endpoint nothing is kept."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    otlp_endpoint: str = Field(
        default="",
        description="OTLP/gRPC receiver, http://host:4317 or https://host:4317 (TLS); empty exports nothing.",
    )
    sample_ratio: float = Field(
        default=0.05,
        ge=0,
        le=1,
        description="Share of the traces begun here that are kept; errors and degraded answers always are.",
    )
    queue_spans: int = Field(
        default=4096, gt=0, description="Spans that may wait for export; further ones are dropped and counted."
    )
    batch_spans: int = Field(default=128, gt=0, description="Most spans in one export.")
    schedule_delay_ms: int = Field(default=1000, gt=0, description="Longest wait of a span before its export.")
    export_timeout_ms: int = Field(
        default=2000, gt=0, description="Time of one export, its retries included; then its spans are lost, counted."
    )
    shutdown_timeout_ms: int = Field(
        default=1000, ge=0, description="Time that a stopping process gives the spans still waiting."
    )
    held_spans: int = Field(
        default=4096,
        gt=0,
        description="Finished spans of unsampled traces that wait for their end; the oldest traces give way.",
    )
    held_age_s: float = Field(
        default=30.0, gt=0, description="Age at which an unsampled trace that has not ended is given up."
    )
