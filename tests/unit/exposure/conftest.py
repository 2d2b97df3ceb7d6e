"""A small decision with its record and answer, a log in memory, and a namespace of the test's own in a real store."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from redis.asyncio import Redis

from loopwright.domain.enums import Exploration, Purpose, Scheme, Source, Stage
from loopwright.domain.ids import item_id, make_decision_id
from loopwright.eventlog import MemoryBroker, MemoryEventLog, Worth
from loopwright.exposure.answers import RedisAnswers
from loopwright.exposure.ledger import DecisionLedger, TokenPolicy
from loopwright.exposure.tokens import KeyRing
from loopwright.faults import OutboxFull
from loopwright.pipeline.answer import Answer, RecommendedItem
from loopwright.pipeline.record import CandidateTable, DecisionRecord, RequestRecord, SlatePosition
from loopwright.pipeline.types import Propensity, SourceReport, Versions
from loopwright.rpc import Deadline
from loopwright.store.client import StoreClient, open_store
from loopwright.store.connection import open_redis

NOW_MS = 1_700_000_000_000
SUBJECT = bytes(range(16))
VERSIONS = Versions(policy_version="p" * 64, ranker_version="r" * 64, feature_groups=("a.v1",))


class Clock:
    """A mesh clock that stands still until told."""

    def __init__(self) -> None:
        self.ms = NOW_MS

    def now_ms(self) -> int:
        return self.ms

    def wall_ms(self) -> int:
        return self.ms


class LogAppender:
    """Appends straight to a log, for tests of what is appended, in which order and at which worth."""

    def __init__(self, log: MemoryEventLog) -> None:
        self._log = log
        self.topics: list[str] = []
        self.worths: list[Worth] = []
        self.least = Worth.OPTIONAL

    async def append(
        self, topic: Any, key: bytes, event: Any, *, deadline: Deadline, worth: Worth = Worth.EVIDENCE
    ) -> Any:
        self._admit(topic, worth)
        return await self._log.append(topic, key, event, deadline=deadline)

    def _admit(self, topic: Any, worth: Worth) -> None:
        self.topics.append(topic.name)
        self.worths.append(worth)
        if worth < self.least:
            raise OutboxFull()

    async def append_many(
        self, topic: Any, entries: Sequence[Any], *, deadline: Deadline, worth: Worth = Worth.EVIDENCE
    ) -> list[Any]:
        self._admit(topic, worth)
        return list(await self._log.append_many(topic, entries, deadline=deadline))


def _table(ids: np.ndarray) -> CandidateTable:
    n = len(ids)

    def some(dtype: Any, *shape: int) -> Any:
        return np.arange(int(np.prod((n, *shape))), dtype=dtype).reshape((n, *shape))

    return CandidateTable(
        item_ids=ids,
        fused_scores=some(np.float32),
        source_ranks=some(np.uint16, 1),
        source_scores=some(np.float32, 1),
        signals=some(np.float32, 2),
        item_columns=some(np.float16, 3),
        group_ages_s=some(np.uint32, 1),
        group_mask=np.zeros((n, 1), dtype=np.uint8),
        pre_scores=some(np.float32),
        heads=some(np.float32, 2),
        creator_ids=np.zeros(n, dtype=np.uint64),
        first_tag_ids=np.zeros(n, dtype=np.uint64),
        eligibility=np.zeros(n, dtype=np.uint8),
        guards=np.zeros(n, dtype=np.uint8),
        utility=some(np.float64),
        content=some(np.float16, 16),
        drop_reasons=np.zeros(n, dtype=np.uint8),
    )


def _decided(
    *,
    purpose: Purpose = Purpose.SERVE,
    request_id: str = "r-1",
    request_hash: bytes = b"h" * 16,
    entropy: bytes = b"e" * 9,
    names: tuple[str, ...] = ("a", "b"),
    funnel: bool = False,
) -> tuple[DecisionRecord, Answer]:
    decision_id = make_decision_id(NOW_MS, SUBJECT, entropy)
    ids = np.array([item_id(name) for name in names], dtype=np.uint64)
    table = _table(ids)
    record = DecisionRecord(
        decision_id=decision_id,
        surface="home",
        occurred_at_ms=NOW_MS,
        wall_ms=NOW_MS,
        request=RequestRecord(
            request_id=request_id,
            subject=SUBJECT,
            session_id="s",
            page_start=0,
            k=len(names),
            anchors=np.empty(0, dtype=np.uint64),
            excluded=np.empty(0, dtype=np.uint64),
            locale="",
            client_version="",
            purpose=purpose,
            exploration=Exploration.BUNDLE,
            request_hash=request_hash,
            sealed_external_id="ann",
            sealed_query_text="",
        ),
        versions=VERSIONS,
        seed=7,
        arm="",
        sources=(SourceReport(Source.FRESH, len(names), 10, False, ""),),
        signal_names=("two_tower", "co_visitation"),
        head_names=("engage", "satisfied"),
        user_groups=("u.v1",),
        item_groups=("a.v1",),
        user_columns=np.zeros(2, dtype=np.float16),
        user_group_ages_s=np.zeros(1, dtype=np.uint32),
        user_group_mask=np.zeros(1, dtype=np.uint8),
        scored_position=1,
        best_n=10,
        slate=tuple(
            SlatePosition(int(i), place + 1, place + 1, 0.5, 0.5, Scheme.RANKED, 0.0, True)
            for place, i in enumerate(ids)
        ),
        slate_candidates=table,
        candidates=table if funnel else None,
        mutations=(),
        propensity=Propensity(0.01, len(names), 0, 0),
        degradations=(),
        timings_us=((Stage.RETRIEVE, 5),),
    )
    answer = Answer(
        decision_id=decision_id,
        versions=VERSIONS,
        arm="",
        items=tuple(
            RecommendedItem(name, place + 1, (Source.FRESH,), 0.5, 0.5, Scheme.RANKED)
            for place, name in enumerate(names)
        ),
        degradations=(),
        decided_at_ms=NOW_MS,
    )
    return record, answer


@pytest.fixture
def decided() -> Callable[..., tuple[DecisionRecord, Answer]]:
    return _decided


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def deadline() -> Deadline:
    return Deadline.after(5.0)


@pytest.fixture
def ring() -> KeyRing:
    return KeyRing(1, {1: b"first key"})


@pytest.fixture
def broker() -> MemoryBroker:
    return MemoryBroker()


@pytest.fixture
def appender(broker: MemoryBroker) -> LogAppender:
    return LogAppender(MemoryEventLog(broker, producer="exposure"))


@pytest.fixture
async def frozen_store() -> AsyncIterator[str]:
    """Address of a store that takes connections and never answers."""

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    async with server:
        yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"


@pytest.fixture
def namespace() -> str:
    return f"{uuid.uuid4().hex}:"


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with open_redis(redis_url, 1.0) as client:
        yield client


@pytest.fixture
async def store(redis_url: str) -> AsyncIterator[StoreClient]:
    async with open_store(redis_url, 1.0) as client:
        yield client


@pytest.fixture
def answers(store: StoreClient, clock: Clock, namespace: str) -> RedisAnswers:
    return RedisAnswers(store, clock.wall_ms, namespace)


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


@pytest.fixture
def ledger(
    appender: LogAppender, answers: RedisAnswers, ring: KeyRing, clock: Clock, threads: ThreadPoolExecutor
) -> DecisionLedger:
    return DecisionLedger(appender, answers, TokenPolicy(ring, 3600), clock, threads)


@pytest.fixture
def ledger_with(
    appender: LogAppender, ring: KeyRing, clock: Clock, threads: ThreadPoolExecutor
) -> Callable[..., DecisionLedger]:
    """A ledger over another store of answers."""
    return lambda store: DecisionLedger(appender, store, TokenPolicy(ring, 3600), clock, threads)


@pytest.fixture
def sample() -> SimpleNamespace:
    return SimpleNamespace(now_ms=NOW_MS, subject=SUBJECT, versions=VERSIONS, replace=replace)
