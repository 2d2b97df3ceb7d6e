"""A small server of the store's protocol in this process, which tests kill, empty and roll back at any command."""

from __future__ import annotations

import asyncio
import fnmatch
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from copy import deepcopy
from typing import Any

Keys = dict[bytes, Any]


class RespServer:
    """The few commands that the projector sends; `kept` states come back after a restart.

    Attributes:
        keys: Key -> bytes, or a dict for a hash.
        before: Awaited before each command is carried out, with its name; a test kills or empties the server there.
    """

    def __init__(self) -> None:
        self.keys: Keys = {}
        self.before: Callable[[bytes], Awaitable[None]] | None = None
        self.port = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        """Address for clients."""
        return f"redis://127.0.0.1:{self.port}/0"

    async def start(self, keys: Keys | None = None) -> None:
        """Listen, at the port of the first start, with this state."""
        self.keys = deepcopy(keys) if keys is not None else self.keys
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def kill(self) -> None:
        """Drop every connection and listen no more."""
        if self._server is not None:
            self._server.close()
            for writer in list(self._writers):
                writer.transport.abort()
            self._writers.clear()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        queued: list[list[bytes]] | None = None
        try:
            while line := await reader.readline():
                command = []
                for _ in range(int(line[1:])):
                    size = int((await reader.readline())[1:])
                    command.append((await reader.readexactly(size + 2))[:-2])
                if self.before is not None:
                    await self.before(command[0])
                if writer not in self._writers:
                    return
                if command[0] == b"MULTI":
                    queued = []
                    writer.write(b"+OK\r\n")
                elif command[0] == b"EXEC":
                    answers = [self._carry_out(one) for one in queued or []]
                    queued = None
                    writer.write(_packed(answers))
                elif queued is not None:
                    queued.append(command)
                    writer.write(b"+QUEUED\r\n")
                else:
                    writer.write(_packed(self._carry_out(command)))
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            self._writers.discard(writer)
            writer.close()

    def _carry_out(self, command: list[bytes]) -> Any:
        name, *rest = command
        if name == b"GET":
            return self.keys.get(rest[0])
        if name == b"SET":
            if b"XX" in rest[2:] and rest[0] not in self.keys:
                return None
            self.keys[rest[0]] = rest[1]
        elif name == b"MSET":
            self.keys.update(zip(rest[::2], rest[1::2], strict=True))
        elif name == b"HSET":
            self.keys.setdefault(rest[0], {}).update(zip(rest[1::2], rest[2::2], strict=True))
            return 1
        elif name == b"HMGET":
            return [self.keys.get(rest[0], {}).get(field) for field in rest[1:]]
        elif name == b"HGETALL":
            return [part for entry in self.keys.get(rest[0], {}).items() for part in entry]
        elif name == b"SCAN":
            pattern = rest[2].decode().replace("\\", "")
            return [b"0", [key for key in self.keys if fnmatch.fnmatchcase(key.decode(), pattern)]]
        elif name == b"DEL":
            return sum(self.keys.pop(key, None) is not None for key in rest)
        return b"OK"


def _packed(answer: Any) -> bytes:
    if answer is None:
        return b"$-1\r\n"
    if isinstance(answer, int):
        return b":%d\r\n" % answer
    if isinstance(answer, bytes):
        return b"$%d\r\n%s\r\n" % (len(answer), answer)
    return b"*%d\r\n%s" % (len(answer), b"".join(map(_packed, answer)))


@asynccontextmanager
async def resp_server() -> AsyncIterator[RespServer]:
    """Run a server for the block."""
    server = RespServer()
    await server.start()
    try:
        yield server
    finally:
        await server.kill()
