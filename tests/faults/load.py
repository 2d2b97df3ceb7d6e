"""Steady load as clients make it: so many requests a second whatever comes of them, each user one call at a time.

A slate's first items are reported as seen, some are acted on, always with the tokens that came with them. Every call
goes through the public API over a gateway's channel, and stands in the history before it is sent.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from loopwright.api.exposure.v1 import exposure_service_pb2 as exposure_pb
from loopwright.api.exposure.v1.exposure_service_pb2_grpc import ExposureServiceStub
from loopwright.api.recommender.v1 import recommender_service_pb2 as pb
from loopwright.api.recommender.v1.recommender_service_pb2_grpc import RecommenderServiceStub
from loopwright.domain.enums import ActionKind, Purpose
from loopwright.domain.ids import event_id, item_id, subject_of
from loopwright.eventlog import wall_now_ms
from loopwright.faults import Fault
from loopwright.lifecycle.development_keys import DEVELOPMENT_SUBJECT_KEY
from loopwright.pipeline.answer import Answer
from loopwright.pipeline.convert.answer import answer_from_proto
from loopwright.pipeline.convert.parsing import number
from loopwright.rpc import ChannelSettings, grpc_code, open_channel
from loopwright.rpc.settings import RetryPolicy
from tests.faults.facts import flag
from tests.faults.history import Entry, History, Kind, Operation, now_ms

SURFACE = "home"
DEADLINE_S = 1.0
K = 8
VIEWED, ATTEMPTS = 3, 4
WELL_SHARE = 0.9
REST_S = 3.0
"""A user whose call ended in doubt stays away this long: what is under way then has landed or failed."""

DEFINITE = {"INVALID_ARGUMENT", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "NOT_FOUND"}
"""Statuses of calls that left nothing behind."""

Call = Callable[[], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Gateway:
    """Open stubs of the public API."""

    recommender: Any
    exposure: Any


@asynccontextmanager
async def gateway(addresses: Mapping[str, str]) -> AsyncIterator[Gateway]:
    """Open channels as an upstream gateway does: round robin, gRPC's own retry, no breaker."""
    retry = RetryPolicy()
    async with (
        open_channel(addresses["recommender"], ChannelSettings(), retry=retry) as recommender,
        open_channel(addresses["exposure"], ChannelSettings(), retry=retry) as exposure,
    ):
        yield Gateway(RecommenderServiceStub(recommender), ExposureServiceStub(exposure))


def user_names(count: int) -> list[str]:
    """Return the users that have a past."""
    return [f"u{number}" for number in range(count)]


def subject_hex(user: str) -> str:
    """Return how the mesh knows a user."""
    return subject_of(user, anonymous=False, key=DEVELOPMENT_SUBJECT_KEY.encode()).hex()


@dataclass(slots=True)
class Pulse:
    """How the answers look just now, in monotonic milliseconds; for deciding when the mesh has recovered."""

    began_ms: float = field(default_factory=now_ms)
    ended: deque[tuple[float, bool]] = field(default_factory=deque)

    def beat(self, asked_ms: float, good: bool) -> None:
        """Take the end of a recommend call: `good` is OK and undegraded."""
        self.ended.append((asked_ms, good))

    def well_since(self, from_ms: float, for_ms: float, least: int) -> float | None:
        """Return the beginning of the last `for_ms`, not before `from_ms`, when nine answers in ten were good in it.

        Not all: on a machine that this load fills, the store's ceiling of 20 ms degrades a few answers at any time.
        """
        since = max((asked for asked, _ in self.ended), default=0.0) - for_ms
        if since < max(from_ms, self.began_ms):
            return None
        window = [good for asked, good in self.ended if asked >= since]
        self.ended = deque((asked, good) for asked, good in self.ended if asked >= since)
        return since if len(window) >= least and sum(window) >= WELL_SHARE * len(window) else None


class Load:
    """One scenario's traffic."""

    def __init__(
        self,
        gateway: Gateway,
        history: History,
        scenario: str,
        users: deque[str],
        *,
        rate: float,
        feedback: bool = True,
    ) -> None:
        self._gateway, self._history, self._scenario = gateway, history, scenario
        self._users, self._feedback = users, feedback
        self.rate = rate
        self._calls = 0
        self.asked = 0
        self.starved = 0
        self.pulse = Pulse()

    async def run(self, stop: asyncio.Event) -> None:
        """Send until told to stop, then wait for what is under way."""
        loop = asyncio.get_running_loop()
        started, tick = loop.time(), 0
        async with asyncio.TaskGroup() as group:
            while not stop.is_set():
                if self._users:
                    group.create_task(self._visit(self._users.popleft(), tick))
                else:
                    self.starved += 1
                tick += 1
                await asyncio.sleep(max(0.0, started + tick / self.rate - loop.time()))

    async def _visit(self, user: str, tick: int) -> None:
        ended_well = False
        try:
            self.asked += 1
            answer = await self._recommend(user, tick)
            ended_well = answer is not None and (not self._feedback or await self._react(user, tick, answer))
        finally:
            if not ended_well:
                await asyncio.sleep(REST_S)
            self._users.append(user)

    async def _recommend(self, user: str, tick: int) -> Answer | None:
        request_id = f"{self._scenario}.{tick}"
        request = pb.RecommendRequest(
            request_id=request_id, user_id=user, surface=SURFACE, session_id=f"{self._scenario}.{user}", k=K,
            locale="en", client_version="faults", purpose=number(Purpose.SERVE),
        )  # fmt: skip
        entry = self._entry(user, Operation.RECOMMEND, request_id=request_id, k=K)

        async def call() -> Answer:
            return answer_from_proto(await self._gateway.recommender.Recommend(request, timeout=DEADLINE_S))

        def told(end: Entry, answer: Answer) -> Entry:
            return replace(
                end, decision_id=answer.decision_id.hex(), decided_at_ms=answer.decided_at_ms,
                policy_version=answer.versions.policy_version, replayed=answer.replayed,
                degradations=tuple(flag(d.stage, d.reason, d.subject) for d in answer.degradations),
            )  # fmt: skip

        answer, end = await self._called(entry, call, told)
        self.pulse.beat(entry.at_ms, end.kind is Kind.OK and not end.degradations)
        return answer

    async def _react(self, user: str, tick: int, answer: Answer) -> bool:
        """Report what came into view of one slate in two, act on one in three; say whether all was acknowledged."""
        if not answer.items:
            return True
        tokens, decision, well = [item.exposure_token for item in answer.items], answer.decision_id, True
        subject = bytes.fromhex(subject_hex(user))
        if tick % 2 == 0:
            seen = exposure_pb.ReportImpressionsRequest(
                client_event_id=f"{self._scenario}.view.{tick}",
                impressions=[exposure_pb.Impression(exposure_token=t, seen=True) for t in tokens[:VIEWED]],
            )
            events = (event_id(decision, subject, "ITEMS_VIEWED", seen.client_event_id).hex(),)
            well &= await self._reported(
                user, Operation.IMPRESSIONS, answer, events,
                lambda: self._gateway.exposure.ReportImpressions(seen, timeout=DEADLINE_S),
            )  # fmt: skip
        if tick % 3 == 0:
            kinds = (ActionKind.CLICK, ActionKind.LIKE) if tick % 9 == 0 else (ActionKind.CLICK,)
            names = [f"{self._scenario}.act.{tick}.{kind.name.lower()}" for kind in kinds]
            acted = exposure_pb.ReportActionsRequest(
                actions=[
                    exposure_pb.Action(exposure_token=tokens[0], client_event_id=name, kind=number(kind))
                    for kind, name in zip(kinds, names, strict=True)
                ]
            )
            item = item_id(answer.items[0].external_id)
            events = tuple(
                event_id(decision, subject, item, int(kind), name).hex()
                for kind, name in zip(kinds, names, strict=True)
            )
            well &= await self._reported(
                user, Operation.ACTIONS, answer, events,
                lambda: self._gateway.exposure.ReportActions(acted, timeout=DEADLINE_S),
            )  # fmt: skip
        return well

    async def _reported(
        self, user: str, operation: Operation, answer: Answer, events: tuple[str, ...], call: Call
    ) -> bool:
        """Send a report until it is acknowledged, with the same ids, a few times; each attempt is a call."""
        for attempt in range(ATTEMPTS):
            entry = self._entry(user, operation, decision_id=answer.decision_id.hex())
            _, end = await self._called(entry, call, lambda end, _: replace(end, events=events))
            if end.kind is Kind.OK:
                return True
            await asyncio.sleep(max(end.retry_after_s or 0.0, 0.25 * 2**attempt))
        return False

    def _entry(self, user: str, operation: Operation, **known: Any) -> Entry:
        self._calls += 1
        return Entry(
            Kind.INVOKE, user, operation, self._calls, now_ms(), wall_now_ms(), scenario=self._scenario,
            subject=subject_hex(user), deadline_ms=round(DEADLINE_S * 1000), **known,
        )  # fmt: skip

    async def _called(
        self, entry: Entry, call: Call, told: Callable[[Entry, Any], Entry]
    ) -> tuple[Any, Entry]:  # fmt: skip
        await self._history.append(entry)
        asked, answer = now_ms(), None
        try:
            answer = await call()
            end = told(replace(entry, kind=Kind.OK), answer)
        except Fault as fault:
            code = grpc_code(fault.kind).name
            end = replace(
                entry, kind=Kind.FAIL if code in DEFINITE else Kind.UNKNOWN, code=code, reason=fault.reason,
                retry_after_s=fault.retry_after_s,
            )  # fmt: skip
        ended = now_ms()
        end = replace(end, at_ms=ended, wall_ms=wall_now_ms(), latency_ms=ended - asked)
        self._history.note(end)
        return answer, end
