"""Free ports on loopback for the processes of one mesh; called once per start, before any of them is spawned."""

from __future__ import annotations

import asyncio
import random
import socket
from contextlib import ExitStack, suppress
from pathlib import Path

from loopwright.localmesh.failures import ServerDidNotStart

LOOPBACK = "127.0.0.1"
LOWEST = 15_000  # below lie the well-known ports of databases and brokers, ours included
FEWEST = 2_000  # as many candidates are looked at
DEFAULT_FIRST_OUTGOING = 32_768  # Linux; elsewhere the range begins at 49152

_CHANCE = random.SystemRandom()  # two meshes that start at once must not pick alike


def server_range(range_file: Path = Path("/proc/sys/net/ipv4/ip_local_port_range")) -> range:
    """Return the ports to pick from: those below the ones the kernel gives to outgoing connections.

    A port from the kernel's own range may be taken by any client between our look and the server's start, and is,
    once several meshes or test runs share a machine.
    """
    try:
        first_outgoing = int(range_file.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        first_outgoing = DEFAULT_FIRST_OUTGOING
    lowest = LOWEST if first_outgoing - LOWEST >= FEWEST else 1024
    return range(lowest, max(first_outgoing, lowest + FEWEST))


def free_ports(count: int) -> list[int]:
    """Return `count` distinct ports that no process listens on now.

    All are held open until the last is known, so that one call never returns a port twice. Another process may still
    take one before it is used: a server that finds its port taken fails its start, and says so.

    Raises:
        ServerDidNotStart: no free port was found.
    """
    ports: list[int] = []
    with ExitStack() as held:
        for port in _CHANCE.sample(server_range(), FEWEST):
            if len(ports) == count:
                break
            listener = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            with suppress(OSError):  # taken: the next one
                listener.bind((LOOPBACK, port))
                ports.append(port)
    if len(ports) < count:
        raise ServerDidNotStart(f"no {count} free ports on {LOOPBACK}")
    return ports


async def is_listening(port: int) -> bool:
    """Say whether something on loopback accepts connections at the port."""
    try:
        _, writer = await asyncio.open_connection(LOOPBACK, port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True
