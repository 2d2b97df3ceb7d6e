from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from loopwright.rpc.settings import ChannelSettings, RpcSettings, is_loopback


@pytest.mark.parametrize("host", ["0.0.0.0", "10.1.2.3", "::", "recommender.internal"])
def test_plaintext_beyond_loopback_is_refused_unless_allowed(host: str) -> None:
    with pytest.raises(ValidationError, match="refusing to bind"):
        RpcSettings(host=host)
    assert RpcSettings(host=host, allow_insecure=True).host == host
    assert RpcSettings(host=host, tls_cert_path=Path("c"), tls_key_path=Path("k")).host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.9", "::1", "[::1]", "localhost", "unix:/tmp/s"])
def test_loopback_needs_nothing(host: str) -> None:
    assert is_loopback(host)
    assert RpcSettings(host=host).host == host


def test_key_and_certificate_come_together() -> None:
    with pytest.raises(ValidationError, match="come together"):
        RpcSettings(tls_cert_path=Path("c"))
    with pytest.raises(ValidationError, match="needs tls_ca_path"):
        ChannelSettings(tls_cert_path=Path("c"), tls_key_path=Path("k"))
    with pytest.raises(ValidationError, match="needs tls_cert_path"):
        RpcSettings(tls_ca_path=Path("a"))


def test_an_unknown_setting_is_an_error() -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        RpcSettings.model_validate({"prot": 1})
