"""The one place for options and credentials of both ends: keepalives must match or the server hangs up."""

from __future__ import annotations

import json
from pathlib import Path

import grpc

from loopwright.rpc.settings import ChannelSettings, RetryPolicy, RpcSettings, TransportSettings

Options = list[tuple[str, int | str]]
# grpc.aio takes one call in a turn of the loop. Where turns are long, calls pile up in front of the limit and would be
# begun when their time is over. From the first number on gRPC refuses some of them, from the second on all, bare, as
# CANCELLED; a burst that an idle process can take must stay below it (8 and 16 lost 38 of 320 calls in bursts of 16).
_PENDING: Options = [("grpc.server.max_pending_requests", 64), ("grpc.server.max_pending_requests_hard_limit", 128)]
_LONGEST_RECONNECT_WAIT_S = 0.5
RECONNECTED_WITHIN_S = 1.0
"""By then a channel uses a replica that came back: the longest wait, jittered by 20 %, with time to connect. Who
restarts one replica after the other waits that long in between, or a caller finds none of them."""


def server_options(settings: RpcSettings) -> Options:
    """Returns the options of a server; processes never share a port (`so_reuseport` off)."""
    return [
        *_shared(settings),
        ("grpc.so_reuseport", 0),
        # Faster pings are answered with GOAWAY too_many_pings. A machine that stalls bunches pings: leave them room.
        ("grpc.http2.min_ping_interval_without_data_ms", _ms(settings.keepalive_time_s / 6)),
        ("grpc.max_connection_age_ms", _ms(settings.max_connection_age_s)),
        ("grpc.max_connection_age_grace_ms", _ms(settings.max_connection_age_grace_s)),
        *(_PENDING if settings.max_in_flight else ()),
    ]


def channel_options(settings: ChannelSettings, retry: RetryPolicy | None) -> Options:
    """Returns the options of a channel: round robin over all addresses, retries only where asked for."""
    config: dict[str, object] = {"loadBalancingConfig": [{"round_robin": {}}]}
    if retry is not None:
        config["methodConfig"] = [
            {
                "name": [{}],
                "retryPolicy": {
                    "maxAttempts": retry.max_attempts,
                    "initialBackoff": f"{retry.initial_backoff_s}s",
                    "maxBackoff": f"{retry.max_backoff_s}s",
                    "backoffMultiplier": 2,
                    # CANCELLED as a status: the peer stopped while the call was on its way in.
                    "retryableStatusCodes": ["UNAVAILABLE", "CANCELLED"],
                },
            }
        ]
        config["retryThrottling"] = {"maxTokens": 100, "tokenRatio": retry.budget_ratio}
    return [
        *_shared(settings),
        ("grpc.enable_retries", int(retry is not None)),
        ("grpc.service_config", json.dumps(config)),
        # A peer that comes back is found within a second, not after gRPC's two minutes: its wait is jittered by 20 %.
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", _ms(_LONGEST_RECONNECT_WAIT_S)),
        # Despite its name the limit of one attempt, by default 20 s: an address that swallows packets, a frozen peer.
        ("grpc.min_reconnect_backoff_ms", 2000),
        # A peer that comes back under another address is looked up again no later than that.
        ("grpc.dns_min_time_between_resolutions_ms", 2000),
        # Channels to one target do not share a connection: closing one leaves the others alone.
        ("grpc.use_local_subchannel_pool", 1),
    ]


def server_credentials(settings: RpcSettings) -> grpc.ServerCredentials | None:
    """Returns TLS credentials (mutual when authorities are given), None for plaintext."""
    if settings.tls_cert_path is None or settings.tls_key_path is None:
        return None
    pair = (settings.tls_key_path.read_bytes(), settings.tls_cert_path.read_bytes())
    return grpc.ssl_server_credentials(
        [pair],
        root_certificates=_read(settings.tls_ca_path),
        require_client_auth=settings.tls_ca_path is not None,
    )


def channel_credentials(settings: ChannelSettings) -> grpc.ChannelCredentials | None:
    """Returns TLS credentials, with our own certificate when there is one; None for plaintext."""
    if settings.tls_ca_path is None:
        return None
    return grpc.ssl_channel_credentials(
        root_certificates=settings.tls_ca_path.read_bytes(),
        private_key=_read(settings.tls_key_path),
        certificate_chain=_read(settings.tls_cert_path),
    )


def _shared(settings: TransportSettings) -> Options:
    return [
        ("grpc.max_receive_message_length", settings.max_message_bytes),
        ("grpc.max_send_message_length", settings.max_message_bytes),
        ("grpc.keepalive_time_ms", _ms(settings.keepalive_time_s)),
        ("grpc.keepalive_timeout_ms", _ms(settings.keepalive_timeout_s)),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
    ]


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _read(path: Path | None) -> bytes | None:
    return None if path is None else path.read_bytes()
