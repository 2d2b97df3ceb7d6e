from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from loopwright.faults import RemoteFault
from loopwright.rpc import AccessMatrix, open_channel
from loopwright.rpc.options import channel_credentials, channel_options, server_credentials, server_options
from loopwright.rpc.settings import ChannelSettings, RetryPolicy, RpcSettings


def test_a_client_never_pings_faster_than_a_server_allows() -> None:
    server = dict(server_options(RpcSettings()))
    client = dict(channel_options(ChannelSettings(), None))
    allowed = server["grpc.http2.min_ping_interval_without_data_ms"]
    assert int(client["grpc.keepalive_time_ms"]) >= int(allowed) > 0


def test_messages_have_one_limit_on_both_ends() -> None:
    for options in (server_options(RpcSettings()), channel_options(ChannelSettings(), None)):
        limits = {dict(options)[f"grpc.max_{way}_message_length"] for way in ("receive", "send")}
        assert limits == {4 * 1024 * 1024}


def test_only_a_retry_policy_brings_retries() -> None:
    plain = dict(channel_options(ChannelSettings(), None))
    assert plain["grpc.enable_retries"] == 0
    assert "methodConfig" not in json.loads(str(plain["grpc.service_config"]))
    retrying = dict(channel_options(ChannelSettings(), RetryPolicy(max_attempts=3)))
    config = json.loads(str(retrying["grpc.service_config"]))
    assert retrying["grpc.enable_retries"] == 1
    assert config["methodConfig"][0]["retryPolicy"]["maxAttempts"] == 3
    assert config["loadBalancingConfig"] == [{"round_robin": {}}]


def test_without_certificates_there_are_no_credentials() -> None:
    assert server_credentials(RpcSettings()) is None
    assert channel_credentials(ChannelSettings()) is None


def _openssl(*words: str) -> None:
    subprocess.run(["openssl", *words], check=True, capture_output=True)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority, a server's pair, and one pair each for `trainer` and `operator`."""
    folder = tmp_path_factory.mktemp("tls")
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    ca = ["-keyout", str(folder / "ca.key"), "-out", str(folder / "ca.pem")]
    _openssl("req", "-x509", *new_key, *ca, "-subj", "/CN=mesh", "-days", "2")
    for name, san in (
        ("server", "IP:127.0.0.1"),
        ("trainer", "URI:spiffe://mesh/trainer"),
        ("operator", "URI:spiffe://mesh/operator"),
    ):
        key, request, extension = (folder / f"{name}{end}" for end in (".key", ".csr", ".ext"))
        _openssl("req", *new_key, "-keyout", str(key), "-out", str(request), "-subj", f"/CN={name}")
        extension.write_text(f"subjectAltName={san}\n")
        signer = ["-CA", str(folder / "ca.pem"), "-CAkey", str(folder / "ca.key"), "-CAcreateserial", "-days", "1"]
        out = ["-out", str(folder / f"{name}.pem"), "-extfile", str(extension)]
        _openssl("x509", "-req", "-in", str(request), *signer, *out)
    return folder


def _pair(folder: Path, name: str) -> dict[str, Path]:
    return {
        "tls_cert_path": folder / f"{name}.pem",
        "tls_key_path": folder / f"{name}.key",
        "tls_ca_path": folder / "ca.pem",
    }


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificates")
@pytest.mark.parametrize(
    ("caller", "reason"),
    [("operator", "OK"), ("trainer", "PERMISSION_DENIED"), ("nobody", "UNAVAILABLE"), ("plaintext", "UNAVAILABLE")],
)
async def test_over_mutual_tls_the_certificates_name_decides(
    echo: SimpleNamespace, certificates: Path, caller: str, reason: str
) -> None:
    access = AccessMatrix({f"/{echo.SERVICE}/*": frozenset({"spiffe://mesh/operator"})})
    channel_settings = {
        "nobody": ChannelSettings(tls_ca_path=certificates / "ca.pem"),
        "plaintext": ChannelSettings(),
    }.get(caller) or ChannelSettings(**_pair(certificates, caller))
    settings = RpcSettings(grace_s=0.5, **_pair(certificates, "server"))
    found = "OK"
    async with echo.served(settings=settings, access=access) as server:
        async with open_channel(server.target, channel_settings) as channel:
            try:
                await echo.Stub(channel).Say(echo.Request(text="x"), timeout=5)
            except RemoteFault as fault:
                found = fault.reason
        assert server.servicer.calls == (1 if reason == "OK" else 0)
    assert found == reason


def test_a_peer_that_comes_back_is_looked_for_at_least_once_a_second() -> None:
    options = dict(channel_options(ChannelSettings(), None))
    assert int(options["grpc.initial_reconnect_backoff_ms"]) <= 100
    assert int(options["grpc.max_reconnect_backoff_ms"]) * 1.2 < 1000  # gRPC jitters by a fifth
    assert int(options["grpc.min_reconnect_backoff_ms"]) <= 2000


def test_only_a_server_with_a_limit_bounds_what_waits_in_front_of_it() -> None:
    bound = "grpc.server.max_pending_requests_hard_limit"
    assert bound not in dict(server_options(RpcSettings()))
    assert int(dict(server_options(RpcSettings(max_in_flight=64)))[bound]) > 0
