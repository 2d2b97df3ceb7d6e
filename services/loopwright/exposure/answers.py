"""Stored answers by request_id, in Redis for a minute: who claims a request decides it, everyone else is told.

A key holds first a claim, then the answer: the answer is stored only when its record is durable, so nobody is ever told
what a crash may still undo. With it go the ids that were served, for ten minutes: the next slate does not repeat them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Protocol

from loopwright.rpc import Deadline
from loopwright.store import keys
from loopwright.store.client import StoreClient
from loopwright.store.wire import Command

KEPT_MS = 60_000
"""How long a request_id is remembered."""

CLAIMED_MS = 2_000
"""How long a claim lasts at least: so long may a decider that died keep its request_id from the next."""

_MARGIN_MS = 500
_FORGETTING_S = 0.5  # on a loop that computes without a break the client's ceiling alone might last longer
_FORGET = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0"


class AnswerStore(Protocol):
    """First come, first served."""

    async def claim(self, subject: bytes, request_id: str, claim: bytes, deadline: Deadline) -> bytes | None:
        """Store a claim unless something is there; return None when stored, else what is there: a claim or an answer.

        The claim outlasts the deadline, by which the append it stands for is over.

        Raises:
            FeatureStoreDown: The store is away; FeatureStoreTimeout: it did not answer in time.
        """
        ...

    async def keep(
        self, subject: bytes, request_id: str, packed: bytes | None, served: Sequence[int], deadline: Deadline
    ) -> None:
        """Store a packed answer whose record is durable, in the place of its claim, and guard the items it serves.

        Args:
            subject: 16 bytes.
            request_id: What the answer is for.
            packed: The answer; None when it is too long to be stored.
            served: Item ids that a person will see; hydration reads them beside the user's row.
            deadline: When both have to be over.

        Raises:
            FeatureStoreDown: The store is away; FeatureStoreTimeout: it did not answer in time.
        """
        ...

    async def forget(self, subject: bytes, request_id: str, claim: bytes) -> None:
        """Remove the claim if it is still there: its decision is not on record.

        Raises:
            FeatureStoreDown: The store is away; FeatureStoreTimeout: it did not answer in time.
        """
        ...


class RedisAnswers:
    """`req:{partition}:<subject hex>:<request_id>`, beside the user's row in one slot."""

    def __init__(self, store: StoreClient, wall_ms: Callable[[], int], namespace: str = "") -> None:
        """Take a client of `open_store`, the wall clock and the prefix of all keys."""
        self._store = store
        self._wall_ms = wall_ms
        self._namespace = namespace

    async def claim(self, subject: bytes, request_id: str, claim: bytes, deadline: Deadline) -> bytes | None:
        """Claim in one round trip, `SET NX GET PX`; takes at most half of what the deadline leaves."""
        left_s = deadline.remaining()
        half = deadline.child(left_s / 2)  # the append needs the rest
        key = keys.stored_answer(subject, request_id, self._namespace)
        lasts_ms = min(KEPT_MS, max(CLAIMED_MS, round(left_s * 1000) + _MARGIN_MS))
        [stored] = await self._store.ask([("SET", key, claim, "NX", "GET", "PX", lasts_ms)], half)
        return stored if isinstance(stored, bytes) else None

    async def keep(
        self, subject: bytes, request_id: str, packed: bytes | None, served: Sequence[int], deadline: Deadline
    ) -> None:
        """Set both keys in one exchange, whatever they hold: an answer whose record is durable may always be told."""
        answer = keys.stored_answer(subject, request_id, self._namespace)
        recent = keys.recent(subject, self._namespace)
        commands: list[Command] = [("SET", answer, packed, "PX", KEPT_MS)] if packed is not None else []
        if served:
            now_ms = self._wall_ms()
            places = chain.from_iterable((now_ms, item) for item in served)
            commands += (
                ("ZADD", recent, *places),
                ("ZREMRANGEBYSCORE", recent, "-inf", now_ms - keys.RECENT_MS),
                ("PEXPIRE", recent, keys.RECENT_MS),
            )
        await self._store.ask(commands, deadline)

    async def forget(self, subject: bytes, request_id: str, claim: bytes) -> None:
        """Delete the key if it holds the claim; has a time of its own, as the call's may be over."""
        key = keys.stored_answer(subject, request_id, self._namespace)
        await self._store.ask([("EVAL", _FORGET, 1, key, claim)], Deadline.after(_FORGETTING_S))
