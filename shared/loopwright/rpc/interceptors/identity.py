"""Third layer: who calls, and may they? By certificate against a matrix, or by being on this machine."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from loopwright.faults import Fault, PermissionDenied, Unauthenticated
from loopwright.rpc.interceptors.layer import Behaviour, Context, Layer, Method
from loopwright.rpc.settings import is_loopback
from loopwright.rpc.status import abort_with

_PEERS = 1024
"""Peers whose address is known by now; each connection is one."""


@dataclass(frozen=True, slots=True)
class Peer:
    """The other end of a call.

    Attributes:
        identities: names that the peer's certificate proves (subject alternative names), empty in plaintext.
        local: the connection comes from this machine.
        encrypted: the connection is TLS.
    """

    identities: frozenset[str]
    local: bool
    encrypted: bool

    @classmethod
    def of(cls, context: Context, *, tls: bool = True) -> Peer:
        """Reads the peer from gRPC's context; in plaintext there is no proof to ask for, which is dear."""
        address = context.peer() or ""
        if not tls:
            return _in_plaintext(address)
        proof = context.auth_context() or {}
        found = proof.get("x509_subject_alternative_name", ())
        names = frozenset(name.decode("utf-8", "replace") for name in found)
        return cls(names, _is_local(address), b"ssl" in proof.get("transport_security_type", ()))


@dataclass(frozen=True, slots=True)
class AccessMatrix:
    """Which identities may call which method; what has no row is refused.

    Attributes:
        rules: `/package.Service/Method` or `/package.Service/*` -> identities (certificate names).
    """

    rules: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def allowed(self, method: Method) -> frozenset[str]:
        """Returns the identities that may call a method; the exact row stands before the service's row."""
        service = method.name.partition("/")[0]
        exact = self.rules.get(f"/{method.name}")
        return exact if exact is not None else self.rules.get(f"/{service}/*", frozenset())


class IdentityLayer(Layer):
    """Refuses callers that may not call.

    In plaintext there is no proof, so a peer on this machine is trusted (the default set-up), and any other
    only where the operator said so. Over TLS with a matrix the certificate's names decide; without a matrix
    every peer that the handshake let in may call. Health and reflection follow the transport's rule only.
    """

    def __init__(self, access: AccessMatrix | None = None, *, allow_insecure: bool = False, tls: bool = True) -> None:
        """Take who may call what, whether any plaintext peer is trusted, and whether the server speaks TLS at all."""
        self._access = access
        self._allow_insecure = allow_insecure
        self._tls = tls

    def handle(self, method: Method, proceed: Behaviour, request: Any, context: Context) -> Awaitable[Any]:
        """Serves the call when the peer may make it."""
        refusal = self.refusal(method, Peer.of(context, tls=self._tls))
        return proceed(request, context) if refusal is None else abort_with(context, refusal)

    def refusal(self, method: Method, peer: Peer) -> Fault | None:
        """Returns why the peer may not call the method, None when it may."""
        if not peer.encrypted:
            return None if peer.local or self._allow_insecure else Unauthenticated()
        if self._access is None or method.infrastructure:
            return None
        if not peer.identities:
            return Unauthenticated()
        return None if peer.identities & self._access.allowed(method) else PermissionDenied()


@lru_cache(_PEERS)
def _in_plaintext(address: str) -> Peer:
    return Peer(frozenset(), _is_local(address), encrypted=False)


def _is_local(peer: str) -> bool:
    kind, _, address = peer.partition(":")
    if kind == "unix":
        return True
    host = address.rpartition(":")[0].replace("%5B", "[").replace("%5D", "]")
    return kind in ("ipv4", "ipv6") and is_loopback(host)
