from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from loopwright.faults import Fault, PermissionDenied, Unauthenticated
from loopwright.rpc import AccessMatrix, open_channel
from loopwright.rpc.interceptors.identity import IdentityLayer, Peer
from loopwright.rpc.interceptors.layer import Method

_TRAINER = frozenset({"spiffe://mesh/trainer"})
_MATRIX = AccessMatrix({"/p.S/*": _TRAINER, "/p.S/Admin": frozenset({"spiffe://mesh/operator"})})


def _peer(*identities: str, local: bool = False, encrypted: bool = True) -> Peer:
    return Peer(frozenset(identities), local, encrypted)


@pytest.mark.parametrize(
    ("path", "peer", "expected"),
    [
        ("/p.S/Read", _peer("spiffe://mesh/trainer"), None),
        ("/p.S/Admin", _peer("spiffe://mesh/trainer"), PermissionDenied),
        ("/p.S/Admin", _peer("spiffe://mesh/operator"), None),
        ("/p.S/Read", _peer("spiffe://mesh/operator"), PermissionDenied),
        ("/q.T/Unlisted", _peer("spiffe://mesh/operator"), PermissionDenied),
        ("/p.S/Read", _peer(), Unauthenticated),
        ("/grpc.health.v1.Health/Check", _peer(), None),
        ("/p.S/Read", _peer(local=True, encrypted=False), None),
        ("/p.S/Read", _peer(encrypted=False), Unauthenticated),
        ("/grpc.health.v1.Health/Check", _peer(encrypted=False), Unauthenticated),
    ],
)
def test_the_matrix_denies_what_it_does_not_list(path: str, peer: Peer, expected: type[Fault] | None) -> None:
    refusal = IdentityLayer(_MATRIX).refusal(Method.parse(path), peer)
    assert (type(refusal) if refusal else None) is expected


def test_plaintext_from_elsewhere_needs_the_operators_word() -> None:
    assert IdentityLayer(allow_insecure=True).refusal(Method.parse("/p.S/Read"), _peer(encrypted=False)) is None


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ("ipv4:127.0.0.1:5", True),
        ("ipv6:[::1]:5", True),
        ("ipv6:%5B::1%5D:5", True),
        ("unix:/tmp/x", True),
        ("ipv4:10.0.0.1:5", False),
        ("ipv6:[fe80::1]:5", False),
        ("", False),
    ],
)
def test_a_peer_is_read_from_the_context(address: str, local: bool) -> None:
    proof = {"x509_subject_alternative_name": [b"spiffe://mesh/a"], "transport_security_type": [b"ssl"]}
    context: Any = SimpleNamespace(auth_context=lambda: proof, peer=lambda: address)
    assert Peer.of(context) == Peer(frozenset({"spiffe://mesh/a"}), local, True)


@pytest.mark.parametrize(("address", "local"), [("ipv4:127.0.0.1:5", True), ("ipv4:10.0.0.1:5", False)])
def test_a_server_without_tls_asks_for_no_proof_and_believes_none(address: str, local: bool) -> None:
    context: Any = SimpleNamespace(peer=lambda: address)
    assert Peer.of(context, tls=False) == Peer(frozenset(), local, False)


async def test_loopback_plaintext_is_let_in_by_default_even_with_a_matrix(echo: SimpleNamespace) -> None:
    async with echo.served(access=_MATRIX) as server, open_channel(server.target) as channel:
        assert (await echo.Stub(channel).Say(echo.Request(text="x"), timeout=2)).text == "x"


async def test_a_stranger_is_refused_before_validation(echo: SimpleNamespace, monkeypatch: Any) -> None:
    monkeypatch.setattr(Peer, "of", lambda context, tls: _peer(encrypted=False))
    async with echo.served() as server, open_channel(server.target) as channel:
        with pytest.raises(Fault) as caught:
            await echo.Stub(channel).Say(echo.Request(text=""), timeout=2)
    assert caught.value.reason == "UNAUTHENTICATED"
    assert server.servicer.calls == 0
