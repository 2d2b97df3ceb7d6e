"""Settings of servers and channels, nested into each service's own settings; read once, passed down."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class TransportSettings(BaseModel):
    """What both ends of a connection share; one keepalive pair, so that the ends never disagree."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_message_bytes: int = Field(
        default=4 * 1024 * 1024,
        gt=0,
        description="Largest message taken, after decompression; larger: RESOURCE_EXHAUSTED.",
    )
    keepalive_time_s: float = Field(
        default=30.0, ge=1, description="Silence on a connection after which a ping is sent."
    )
    keepalive_timeout_s: float = Field(default=5.0, gt=0, description="Wait for a ping's answer before closing.")
    tls_cert_path: Path | None = Field(default=None, description="PEM certificate chain of this process.")
    tls_key_path: Path | None = Field(default=None, description="PEM private key of this process.")
    tls_ca_path: Path | None = Field(
        default=None,
        description="PEM authorities that verify peers; on a server: client certificates are required.",
    )

    @model_validator(mode="after")
    def _key_and_certificate(self) -> Self:
        if (self.tls_cert_path is None) != (self.tls_key_path is None):
            raise ValueError("tls_cert_path and tls_key_path come together or not at all")
        return self


class RpcSettings(TransportSettings):
    """Settings of one gRPC server."""

    host: str = Field(default="127.0.0.1", description="Address to bind; anything but loopback needs TLS.")
    port: int = Field(default=0, ge=0, le=65535, description="TCP port; 0 takes a free one.")
    grace_s: float = Field(default=5.0, ge=0, description="Time given to running calls when the server stops.")
    drain_delay_s: float = Field(
        default=0.0, ge=0, description="Wait between NOT_SERVING and the stop, for balancers to notice."
    )
    max_concurrent_rpcs: int = Field(
        default=256, gt=0, description="Calls at once, an outer bound; gRPC itself refuses further ones bare."
    )
    max_in_flight: int = Field(
        default=0,
        ge=0,
        description="Most calls in flight that the adaptive limit may grow to; further ones: OVERLOADED. 0: no limit.",
    )
    start_in_flight: int = Field(default=8, ge=2, description="Calls in flight that the adaptive limit starts with.")
    late_share: float = Field(
        default=0.25,
        gt=0,
        lt=1,
        description="Share of a call's time after which it counts as late and shrinks the limit.",
    )
    max_connection_age_s: float = Field(
        default=300.0,
        gt=0,
        description="Age at which a connection is closed, so that clients find new replicas.",
    )
    max_connection_age_grace_s: float = Field(default=30.0, gt=0, description="Time for calls on a closing connection.")
    allow_insecure: bool = Field(
        default=False,
        description="Bind beyond loopback in plaintext and trust every peer (where the network encrypts).",
    )

    @model_validator(mode="after")
    def _refuse_open_plaintext(self) -> Self:
        if self.tls_ca_path is not None and self.tls_cert_path is None:
            raise ValueError("tls_ca_path on a server needs tls_cert_path and tls_key_path")
        if not is_loopback(self.host) and self.tls_cert_path is None and not self.allow_insecure:
            raise ValueError(
                f"refusing to bind {self.host} without TLS: set tls_cert_path and tls_key_path, "
                "or allow_insecure=true where the network encrypts and authenticates"
            )
        return self


class ChannelSettings(TransportSettings):
    """Settings of one client channel; TLS is used when `tls_ca_path` is set."""

    reserve_s: float = Field(
        default=0.005, ge=0, description="Part of the caller's remaining time kept back for its own answer."
    )

    @model_validator(mode="after")
    def _certificate_needs_authority(self) -> Self:
        if self.tls_cert_path is not None and self.tls_ca_path is None:
            raise ValueError("a channel's tls_cert_path needs tls_ca_path to verify the server")
        return self


class BreakerSettings(BaseModel):
    """When a client leaves a failing peer alone, and how it finds out that the peer is back."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    failures_in_a_row: int = Field(default=4, ge=1, description="Failures without a success that open the breaker,")
    failing_for_s: float = Field(
        default=0.2, ge=0, description="if they span this time: calls lost with one connection are one failure."
    )
    open_s: float = Field(default=0.25, gt=0, description="Time between two probes of a peer that fails.")
    probes_at_once: int = Field(default=1, ge=1, description="Calls that may probe at once; one success closes.")
    fair_call_s: float = Field(
        default=0.01, ge=0, description="A call given less than this says nothing about the peer by being late."
    )


class RetrySettings(BaseModel):
    """The one retry layer, at the front door's clients: a second attempt where another replica may answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    budget_ratio: float = Field(default=0.1, ge=0, le=1, description="Second attempts allowed per call; 0: none.")
    burst_calls: int = Field(default=10, ge=1, description="Second attempts that may be saved up.")
    wait_s: float = Field(
        default=0.01, ge=0, description="Wait before a second attempt: a connection that ends is noticed meanwhile."
    )
    least_left_s: float = Field(default=0.01, ge=0, description="Time that a second attempt must still have.")


class RetryPolicy(BaseModel):
    """gRPC's own retries; only the front door's callers use them: one retry layer, never one at every hop."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_attempts: int = Field(default=2, ge=2, le=5, description="Attempts in all, the first among them.")
    initial_backoff_s: float = Field(
        default=0.05, gt=0, description="Wait before the second attempt, jittered by gRPC."
    )
    max_backoff_s: float = Field(default=0.5, gt=0, description="Longest wait between attempts.")
    budget_ratio: float = Field(
        default=0.1, gt=0, le=1, description="Retries allowed per successful call (gRPC's retryThrottling)."
    )


def is_loopback(host: str) -> bool:
    """Tells whether a host name or literal address can only be reached from this machine."""
    if host == "localhost" or host.startswith("unix:"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
