"""Published development keys: who would bind beyond loopback with one, and the commands that set keys of one's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from loopwright.cli.doctor.finding import Finding, State
from loopwright.localmesh.development_keys import PUBLISHED
from loopwright.rpc.settings import is_loopback


def bindings(environment: Mapping[str, str]) -> Finding:
    """Say whether a mesh started from this shell would bind more than loopback with a key that is public.

    Args:
        environment: The shell's variables, which every process of a mesh inherits.
    """
    refused: dict[str, str] = {}
    for service, (variable, published) in PUBLISHED.items():
        host = environment.get(f"LOOPWRIGHT_{service.upper()}_RPC__HOST", "127.0.0.1")
        if not is_loopback(host) and environment.get(variable, published) == published:
            refused[variable] = f"{service} at {host}"
    if refused:
        found = (
            f"{', '.join(refused.values())} would refuse to start: the published development key is for loopback only"
        )
        return Finding("bindings", State.BROKEN, found, setting(list(refused)))
    return Finding("bindings", State.OK, "nothing beyond loopback on a published key")


def in_use(variables: Sequence[str]) -> Finding:
    """Say which published keys a mesh uses: right for a machine of one's own.

    Args:
        variables: Those whose service runs on its published key.
    """
    if variables:
        found = f"published development keys: {', '.join(variables)}"
        mend = f"for more than trying out, before the first import: {setting(variables)}"
        return Finding("keys", State.NOTE, found, mend)
    return Finding("keys", State.OK, "your own")


def setting(variables: Sequence[str]) -> str:
    """Return the commands that set keys of one's own; services that shared a key share the new one."""
    shared: dict[str, list[str]] = {}
    for variable, published in PUBLISHED.values():
        shared.setdefault(published, []).append(variable)
    return "; ".join(
        f"`KEY=$(openssl rand -hex 32); export {' '.join(f'{name}=$KEY' for name in together)}`"
        for together in shared.values()
        if set(together) & set(variables)
    )
