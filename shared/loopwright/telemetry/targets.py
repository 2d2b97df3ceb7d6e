"""`server_attributes`: what a client span says of where its channel goes, by the stable RPC conventions."""

from __future__ import annotations

from loopwright.telemetry import names
from loopwright.telemetry.tracing import Value


def server_attributes(target: str) -> dict[str, Value]:
    """Returns `server.address` and `server.port` of a gRPC target.

    One address, `host:port`, `dns:///host:port` or `ipv4:1.2.3.4:5`, gives both. A list of addresses names a group of
    servers: it stands whole in `server.address`, without a port. The sockets behind a name are not looked at.
    """
    plain = target
    for scheme in ("dns:///", "ipv4:", "ipv6:"):
        plain = plain.removeprefix(scheme)
    host, _, port = plain.rpartition(":")
    if "," in plain or not host or not port.isdecimal():
        return {names.SERVER_ADDRESS.name: target}
    return {names.SERVER_ADDRESS.name: host.strip("[]"), names.SERVER_PORT.name: int(port)}
