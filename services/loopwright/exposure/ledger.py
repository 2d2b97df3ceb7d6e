"""Settles a decision: tokens, one decision per request_id, funnel, record; no answer leaves before it is durable."""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor
from dataclasses import dataclass, replace

from loopwright.domain.enums import DegradationReason, Purpose, Stage
from loopwright.eventlog import DECISIONS, FUNNELS
from loopwright.eventlog.envelope import HasNow
from loopwright.exposure.answers import AnswerStore
from loopwright.exposure.appender import Appender
from loopwright.exposure.convert import (
    decision_from_record,
    funnel_events,
    packed_answer,
    slate_event,
    stored_answer,
)
from loopwright.exposure.decision import Decision
from loopwright.exposure.keyed_locks import KeyedLocks
from loopwright.exposure.tokens import Claims, KeyRing, mint
from loopwright.faults import Fault, FeatureStoreDown, FeatureStoreTimeout, RequestIdReused
from loopwright.pipeline.answer import Answer
from loopwright.pipeline.convert.funnel import pack_funnel
from loopwright.pipeline.record import DecisionRecord
from loopwright.pipeline.types import Degradation
from loopwright.rpc import Deadline
from loopwright.telemetry import get_logger

_LOG = get_logger(__name__)

UNCHECKED = Degradation(Stage.RECORD, DegradationReason.IDEMPOTENCY_UNCHECKED)


@dataclass(frozen=True, slots=True)
class TokenPolicy:
    """Under which keys tokens are minted and for how many seconds of mesh time they are in time."""

    ring: KeyRing
    ttl_s: int


class DecisionLedger:
    """The recommender's way to the log; in one process it is the pipeline's `Ledger` itself."""

    def __init__(
        self,
        appender: Appender,
        answers: AnswerStore,
        tokens: TokenPolicy,
        clock: HasNow,
        executor: Executor,
    ) -> None:
        """Take the durable log, the store of answers, the token keys, the mesh clock and threads to compress on."""
        self._appender = appender
        self._answers = answers
        self._tokens = tokens
        self._clock = clock
        self._executor = executor
        self._locks = KeyedLocks()

    async def record(self, record: DecisionRecord, answer: Answer, deadline: Deadline) -> Answer:
        """Settle a decision that never left this process; see `settle`."""
        return await self.settle(decision_from_record(record, answer), deadline)

    async def settle(self, decision: Decision, deadline: Deadline) -> Answer:
        """Return the answer to give: with tokens, or the one that this request_id was given before.

        Raises:
            RequestIdReused: The request_id belongs to another request.
            AppendTimeout, LogUnavailable, OutboxFull: The record is not durable; there is no slate.
        """
        answer = self._with_tokens(decision)
        if decision.purpose is Purpose.EVALUATE:
            await self._append(decision, (), deadline)
            return answer
        async with self._locks.hold((decision.subject, decision.request_id)):
            return await self._settle_once(decision, answer, deadline)

    async def _settle_once(self, decision: Decision, answer: Answer, deadline: Deadline) -> Answer:
        packed, earlier, checked = packed_answer(decision.request_hash, answer), None, True
        try:
            if packed is None:  # too long to be stored
                checked = False
            else:
                earlier = await self._answers.claim(decision.subject, decision.request_id, packed, deadline)
        except (FeatureStoreDown, FeatureStoreTimeout) as fault:
            _LOG.warning("request ids are unchecked", extra={"reason": fault.reason})
            checked = False
        if earlier is not None:
            return _replayed(decision, earlier)
        notes = () if checked else (UNCHECKED,)
        durable = False
        try:
            await self._append(decision, notes, deadline)
            durable = True
        finally:
            if not durable:
                await self._forget(decision)
        return replace(answer, degradations=(*answer.degradations, *notes))

    async def _append(self, decision: Decision, notes: tuple[Degradation, ...], deadline: Deadline) -> None:
        parts: list[bytes] = []
        if decision.funnel is not None:
            loop = asyncio.get_running_loop()
            parts = await loop.run_in_executor(self._executor, pack_funnel, decision.funnel)
            entries = [(decision.subject, event) for event in funnel_events(decision, parts, self._clock)]
            await self._appender.append_many(FUNNELS, entries, deadline=deadline)
        event = slate_event(decision, notes, len(parts), self._clock)
        await self._appender.append(DECISIONS, decision.subject, event, deadline=deadline)

    async def _forget(self, decision: Decision) -> None:
        try:
            await self._answers.forget(decision.subject, decision.request_id)
        except Fault as fault:  # the append's own fault is the one to tell; the claim ends by itself in a minute
            _LOG.warning("a failed decision keeps its request id", extra={"reason": fault.reason})

    def _with_tokens(self, decision: Decision) -> Answer:
        if decision.purpose is not Purpose.SERVE:
            return decision.answer
        expires_at_s = decision.occurred_at_ms // 1000 + self._tokens.ttl_s
        items = tuple(
            replace(
                item,
                exposure_token=mint(
                    Claims(
                        decision.decision_id,
                        decision.subject,
                        item_id,
                        item.position,
                        expires_at_s,
                        decision.surface,
                    ),
                    self._tokens.ring,
                ),
            )
            for item, item_id in zip(decision.answer.items, decision.shown, strict=True)
        )
        return replace(decision.answer, items=items)


def _replayed(decision: Decision, packed: bytes) -> Answer:
    stored = stored_answer(packed)
    if stored.request_hash != decision.request_hash:
        raise RequestIdReused()
    return stored.answer
