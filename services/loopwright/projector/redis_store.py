"""The projector's store in a Redis-compatible server: one pipeline a batch, one MULTI a logical partition."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import hiredis
from redis.asyncio import Redis
from redis.exceptions import RedisError

from loopwright.faults import translate
from loopwright.projector.store import Write
from loopwright.projector.swap import StoreEmptied, Swap
from loopwright.store.connection import FAULTS, heeding, open_redis

_SCAN_BATCH = 1000
_MOST_COMMANDS = 4000  # a pipeline: bounds what waits in socket buffers
_MOST_READS = 500  # in one timeout: the rows of heavy users take 80 KB each
_GLOB = str.maketrans({character: f"\\{character}" for character in "*?[]\\"})

Command = tuple[Any, ...]
Ask = Callable[[Sequence[Command]], Awaitable[list[Any]]]


class RedisStore:
    """Rows and marks under one prefix. Every wait ends after the timeout; nothing is retried here."""

    def __init__(self, client: Redis, namespace: str = "") -> None:
        """Take a client of `open_redis_store` and the prefix of all keys."""
        self._client = client
        self._namespace = namespace

    async def rows(self, keys: Sequence[str], groups: Sequence[str]) -> list[dict[str, bytes]]:
        """See `StateStore.rows`."""
        answers = await self._run([("HMGET", self._namespace + key, *groups) for key in keys])
        return [
            {group: state for group, state in zip(groups, answer, strict=True) if state is not None}
            for answer in answers
        ]

    async def values(self, keys: Sequence[str]) -> list[bytes | None]:
        """See `StateStore.values`."""
        return list(await self._run([("GET", self._namespace + key) for key in keys]))

    async def commit(self, writes: Sequence[Write], swap: Swap | None = None) -> None:
        """See `StateStore.commit`.

        Fence and writes go over one connection: a server that ends in between takes the connection with it, so that
        nothing is written past what it lost. A connection from the pool may be a new one, hence the look each time.
        """
        commands = [command for write in writes for command in self._step(write)]
        if not commands and swap is None:
            return
        async with self._connection() as ask:
            if swap is not None:
                [found] = await ask([("GET", self._namespace + swap.key)])
                swap.check(found)
                commands.append(("SET", self._namespace + swap.key, swap.new, "XX"))
            for part in _parts(commands):
                if _has_nil(await ask(part)):
                    raise StoreEmptied()

    def _step(self, write: Write) -> list[Command]:
        """Return the commands of one atomic step."""
        inside: list[Command] = [
            ("HSET", self._namespace + key, *(part for entry in fields.items() for part in entry))
            for key, fields in write.rows.items()
            if fields
        ]
        values = [part for key, value in write.values.items() for part in (self._namespace + key, value)]
        if values:
            inside.append(("MSET", *values))
        inside += [("SET", self._namespace + key, value, "XX") for key, value in write.renewed.items()]
        return inside if len(inside) < 2 else [("MULTI",), *inside, ("EXEC",)]  # one command is atomic by itself

    async def delete(self, key: str) -> None:
        """See `StateStore.delete`."""
        await self._run([("DEL", self._namespace + key)])

    async def scan(self, prefix: str) -> AsyncIterator[tuple[str, Mapping[str, bytes]]]:
        """See `StateStore.scan`."""
        async for keys in self._keys(prefix):
            answers = await self._run([("HGETALL", key) for key in keys])
            for key, flat in zip(keys, answers, strict=True):
                fields = dict(zip(map(bytes.decode, flat[::2]), flat[1::2], strict=True))
                yield key.decode()[len(self._namespace) :], fields

    async def clear(self, prefixes: Sequence[str] = ("",)) -> None:
        """See `StateStore.clear`; with an empty namespace and no prefixes that is the whole database."""
        for prefix in prefixes:
            async for keys in self._keys(prefix):
                await self._run([("DEL", *keys)])

    async def _keys(self, prefix: str) -> AsyncIterator[list[bytes]]:
        pattern = (self._namespace + prefix).translate(_GLOB) + "*"
        cursor: bytes | int = 0
        seen: set[bytes] = set()
        while True:
            [(cursor, keys)] = await self._run([("SCAN", cursor, "MATCH", pattern, "COUNT", _SCAN_BATCH)])
            fresh = [key for key in dict.fromkeys(keys) if key not in seen]  # a scan may show a key twice
            seen.update(fresh)
            if fresh:
                yield fresh
            if int(cursor) == 0:
                return

    async def _run(self, commands: Sequence[Command]) -> list[Any]:
        """Send the commands over one connection and return their answers."""
        if not commands:
            return []
        answers: list[Any] = []
        async with self._connection() as ask:
            for start in range(0, len(commands), _MOST_READS):
                answers += await ask(commands[start : start + _MOST_READS])
        return answers

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Ask]:
        """Yield what sends commands over one connection, and answers; after a failure nothing more can be sent."""
        with translate(FAULTS):
            pool = self._client.connection_pool
            connection = await pool.get_connection()  # type: ignore[no-untyped-call]
            try:
                yield partial(_exchange, connection)
            finally:
                await pool.release(connection)


async def _exchange(connection: Any, commands: Sequence[Command]) -> list[Any]:
    """Send all commands at once and return their answers.

    The client's own pipelines wrap everything in one MULTI or in none; ours holds one for each partition. One timeout
    stands around all answers, and commands are packed in C: the client's timer for each answer and its packing took
    two thirds of a commit (measured).
    """
    whole = False
    try:
        packed = [hiredis.pack_command(command) for command in commands]
        async with asyncio.timeout(connection.socket_timeout):
            await heeding(connection.send_packed_command(packed, check_health=False))
            answers = [await connection.read_response(timeout=math.inf) for _ in commands]
        whole = True
    finally:
        if not whole:
            await connection.disconnect(nowait=True)  # answers may still come: never reuse it
    _refuse_errors(answers)
    return answers


def _parts(commands: Sequence[Command]) -> Iterator[Sequence[Command]]:
    """Yield the commands in parts that end between two atomic steps."""
    start = within = 0
    for place, command in enumerate(commands):
        within += (command[0] == "MULTI") - (command[0] == "EXEC")
        if not within and (place + 1 - start >= _MOST_COMMANDS or place + 1 == len(commands)):
            yield commands[start : place + 1]
            start = place + 1


def _has_nil(answers: Iterable[Any]) -> bool:
    """Say whether a SET that demands its key has found none; no other command of a commit answers nil."""
    return any(answer is None or (isinstance(answer, list) and _has_nil(answer)) for answer in answers)


def _refuse_errors(answers: Iterable[Any]) -> None:
    """Raise the first error among answers, those inside EXEC included."""
    for answer in answers:
        if isinstance(answer, RedisError):
            raise answer
        if isinstance(answer, list):
            _refuse_errors(answer)


@asynccontextmanager
async def open_redis_store(url: str, namespace: str = "", *, timeout_s: float = 5.0) -> AsyncIterator[RedisStore]:
    """Yield a store whose every wait ends after `timeout_s`."""
    async with open_redis(url, timeout_s) as client:
        yield RedisStore(client, namespace)
