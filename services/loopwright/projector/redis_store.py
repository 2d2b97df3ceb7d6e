"""The projector's store in a Redis-compatible server: one pipeline a batch, one MULTI a logical partition."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from loopwright.faults import translate
from loopwright.projector.store import Write
from loopwright.store.connection import FAULTS, open_redis

_SCAN_BATCH = 1000
_MOST_COMMANDS = 4000  # a pipeline: bounds what waits in socket buffers
_GLOB = str.maketrans({character: f"\\{character}" for character in "*?[]\\"})


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

    async def commit(self, writes: Sequence[Write]) -> None:
        """See `StateStore.commit`."""
        commands: list[tuple[Any, ...]] = []
        for write in writes:
            inside = [
                ("HSET", self._namespace + key, *(part for entry in fields.items() for part in entry))
                for key, fields in write.rows.items()
                if fields
            ]
            values = [part for key, value in write.values.items() for part in (self._namespace + key, value)]
            if values:
                inside.append(("MSET", *values))
            if len(inside) == 1:
                commands += inside  # one command is atomic by itself
            elif inside:
                commands += [("MULTI",), *inside, ("EXEC",)]
            if len(commands) >= _MOST_COMMANDS:
                await self._run(commands)
                commands = []
        await self._run(commands)

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

    async def clear(self) -> None:
        """See `StateStore.clear`; with an empty namespace that is the whole database."""
        async for keys in self._keys(""):
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

    async def _run(self, commands: Sequence[tuple[Any, ...]]) -> list[Any]:
        """Send all commands at once and return their answers.

        The client's own pipelines wrap everything in one MULTI or in none; ours holds one for each partition.
        """
        if not commands:
            return []
        with translate(FAULTS):
            pool = self._client.connection_pool
            connection = await pool.get_connection()  # type: ignore[no-untyped-call]
            whole = False
            try:
                await connection.send_packed_command(connection.pack_commands(commands), check_health=False)
                answers = [await connection.read_response() for _ in commands]
                whole = True
            finally:
                if not whole:
                    await connection.disconnect(nowait=True)  # answers may still come: never reuse it
                await pool.release(connection)
            _refuse_errors(answers)
        return answers


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
