"""What every service's settings hold: the log, names, the metrics port; each service's `config.py` subclasses it."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from loopwright.eventlog import DEFAULT_PREFIX, LogSettings
from loopwright.telemetry import TelemetrySettings


class ServiceSettings(BaseSettings):
    """Settings shared by all services: `class RetrievalSettings(ServiceSettings, service="retrieval")`.

    The class keyword sets the environment prefix `LOOPWRIGHT_RETRIEVAL_` and the default replica name `retrieval-0`.
    """

    # Partial: a variable of one nested setting leaves the others as the service sets them by default.
    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_nested_delimiter="__", nested_model_default_partial_update=True
    )
    service: ClassVar[str] = ""

    kafka_bootstrap: str = Field(
        default="127.0.0.1:9092", min_length=1, description="Brokers, host:port joined by commas."
    )
    topic_prefix: str = Field(default=DEFAULT_PREFIX, description="Prefix of every topic: the tenant.")
    replica: str = Field(default="", description="Name of this replica, unique in the mesh; by default <service>-0.")
    metrics_host: str = Field(default="127.0.0.1", description="Address that the metrics port binds.")
    metrics_port: int = Field(default=0, ge=0, le=65535, description="TCP port of /metrics; 0 takes a free one.")
    log_level: str = Field(default="INFO", description="Lowest level of log lines.")
    heartbeat_interval_s: float = Field(
        default=1.0, gt=0, description="Time between two reports of being alive; live means under 5 s."
    )
    startup_timeout_s: float = Field(
        default=60.0, gt=0, description="Wait for the log and the clock before the start fails."
    )
    log: LogSettings = Field(default=LogSettings(), description="Limits and waits of the Kafka client.")
    telemetry: TelemetrySettings = Field(
        default=TelemetrySettings(), description="Where traces go, and which share of them."
    )

    def __init_subclass__(cls, service: str = "", **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if service:
            cls.service = service
            cls.model_config = SettingsConfigDict(
                **{**cls.model_config, "env_prefix": f"LOOPWRIGHT_{service.upper()}_"}
            )

    @model_validator(mode="before")
    @classmethod
    def _name_replica(cls, values: dict[str, Any]) -> dict[str, Any]:
        return values if values.get("replica") else {**values, "replica": f"{cls.service}-0"}
