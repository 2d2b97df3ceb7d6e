"""Requests for slates over gRPC, as an upstream gateway sends them: one at a time, several at once, at a fixed rate."""

from __future__ import annotations

import asyncio
import itertools
import math
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import grpc

from benchmarks.harness.rounds import quantile
from benchmarks.serving.bundles import SLATE, Size
from benchmarks.serving.world import World
from loopwright.api.common.v1 import decision_pb2
from loopwright.api.recommender.v1 import recommender_service_pb2 as pb
from loopwright.api.recommender.v1.recommender_service_pb2_grpc import RecommenderServiceStub

GRANTED_S, GRANTED_UNDER_LOAD_S = 1.0, 5.0
"""What callers grant a request; under load they are patient, so that throughput is not cut by lateness."""

REFUSED_WAIT_S = 0.05
"""Wait of a caller that was refused, before it asks again."""


@dataclass(slots=True)
class Answers:
    """What came back: latencies of whole answers in milliseconds, and how often anything else did."""

    taken_ms: list[float] = field(default_factory=list)
    other: Counter[str] = field(default_factory=Counter)

    def at(self, share: float) -> float:
        """Return the nearest-rank quantile of the whole answers in milliseconds; infinite without one."""
        return quantile(self.taken_ms, share) if self.taken_ms else math.inf


class Asker:
    """Asks for slates of one user after the other.

    Attributes:
        asked: Answers to `once`.
        degraded: Why those of them that were degraded were; the first reason of each.
    """

    def __init__(self, channel: grpc.aio.Channel, users: int) -> None:
        """Take an open channel and the number of users."""
        self._stub = RecommenderServiceStub(channel)
        self._users = itertools.cycle(range(users))
        self.asked, self.degraded = 0, Counter[str]()

    def request(self, size: Size) -> pb.RecommendRequest:
        """Return the next user's request."""
        return pb.RecommendRequest(
            request_id=uuid.uuid4().hex,
            user_id=World.user_name(next(self._users)),
            surface=size.surface,
            session_id="benchmark",
            k=SLATE,
            locale="en",
            purpose=decision_pb2.PURPOSE_SERVE,
        )

    async def once(self, size: Size) -> None:
        """Ask once; what was degraded is counted in `degraded`, its latency is one like the others."""
        answer = await self._stub.Recommend(self.request(size), timeout=GRANTED_S)
        self.asked += 1
        if answer.degradations:
            self.degraded[_name(answer.degradations[0])] += 1

    async def into(self, answers: Answers, size: Size, granted_s: float) -> bool:
        """Ask once and note what came of it; False when it was refused or failed."""
        began = time.perf_counter()
        try:
            answer = await self._stub.Recommend(self.request(size), timeout=granted_s)
        except grpc.aio.AioRpcError as error:
            answers.other[error.code().name] += 1
            return False
        if answer.degradations:
            answers.other[_name(answer.degradations[0])] += 1
        else:
            answers.taken_ms.append((time.perf_counter() - began) * 1000)
        return True


def _name(degradation: decision_pb2.Degradation) -> str:
    stage = decision_pb2.Stage.Name(degradation.stage).removeprefix("STAGE_")
    reason = decision_pb2.DegradationReason.Name(degradation.reason).removeprefix("DEGRADATION_REASON_")
    return f"{stage} {reason} {degradation.subject}".lower().strip()


@asynccontextmanager
async def asker(target: str, users: int) -> AsyncIterator[Asker]:
    """Open a bare channel to the front door."""
    async with grpc.aio.insecure_channel(target) as channel:
        yield Asker(channel, users)


async def in_flight(asking: Asker, size: Size, count: int, seconds: float) -> tuple[Answers, float]:
    """Keep `count` requests in flight; return the answers and how many seconds they took."""
    answers, began = Answers(), time.perf_counter()

    async def one_after_the_other() -> None:
        while time.perf_counter() - began < seconds:
            if not await asking.into(answers, size, GRANTED_UNDER_LOAD_S):
                await asyncio.sleep(REFUSED_WAIT_S)

    async with asyncio.TaskGroup() as group:
        for _ in range(count):
            group.create_task(one_after_the_other())
    return answers, time.perf_counter() - began


async def at_rate(asking: Asker, size: Size, per_s: float, seconds: float) -> Answers:
    """Send evenly spaced requests whatever becomes of them; a late answer delays no later request."""
    answers, began = Answers(), time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(round(per_s * seconds)):
            await asyncio.sleep(max(0.0, began + number / per_s - time.perf_counter()))
            group.create_task(asking.into(answers, size, GRANTED_S))
    return answers
