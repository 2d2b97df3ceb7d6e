"""Settles a decision: tokens, one decision per request_id, funnel, record; no answer leaves before it is durable."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import Executor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from loopwright.domain.enums import DegradationReason, Purpose, Stage
from loopwright.eventlog import DECISIONS, FUNNELS, Event, Worth
from loopwright.eventlog.envelope import HasNow
from loopwright.exposure.answers import AnswerStore
from loopwright.exposure.appender import Appender
from loopwright.exposure.convert import (
    claim_of,
    decision_from_record,
    funnel_events,
    is_claim,
    slate_event,
    stored_answer,
)
from loopwright.exposure.decision import Decision, WaitingAnswer
from loopwright.exposure.finishing import Finishing
from loopwright.exposure.keyed_locks import KeyedLocks
from loopwright.exposure.refusals import AnswerPending
from loopwright.exposure.tokens import KeyRing, mint_slate
from loopwright.faults import AppendTimeout, Fault, FeatureStoreDown, FeatureStoreTimeout, OutboxFull, RequestIdReused
from loopwright.pipeline.answer import Answer
from loopwright.pipeline.convert.funnel import pack_funnel
from loopwright.pipeline.record import DecisionRecord
from loopwright.pipeline.types import Degradation
from loopwright.rpc import Deadline
from loopwright.telemetry import count, get_logger, names

_LOG = get_logger(__name__)

UNCHECKED = Degradation(Stage.RECORD, DegradationReason.IDEMPOTENCY_UNCHECKED)

_FIRST_LOOK_S, _SLOWEST_LOOK_S = 0.005, 0.05
_KEEPING_S = 0.25
"""Time to store an answer, also when its record was durable in its call's last moment; a claim lasts longer."""

_APPENDING_S = 1.5
"""Longest append of a call that had less time; with the keeping it ends before the claim does."""


@dataclass(frozen=True, slots=True)
class TokenPolicy:
    """Under which keys tokens are minted and for how many seconds of mesh time they are in time."""

    ring: KeyRing
    ttl_s: int


@dataclass(frozen=True, slots=True)
class _Ready:
    """What is written of a decision: its stored form, None when too long; its event, None until its funnel is known."""

    packed: bytes | None
    event: Event | None


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
        self._finishing = Finishing()

    async def record(self, record: DecisionRecord, answer: Answer, deadline: Deadline) -> Answer:
        """Settle a decision that never left this process; see `settle`."""
        return (await self.settle(decision_from_record(record, answer), deadline)).answer()

    async def settle(self, decision: Decision, deadline: Deadline) -> WaitingAnswer:
        """Return the answer to give: the decision's, with tokens, or the one that this request_id was given before.

        A call that ends when its append has begun leaves it to end by itself: the record is durable and its answer
        kept, or the append has failed and the request_id is free, or it is unknown and the claim ends by itself.

        Raises:
            RequestIdReused: The request_id belongs to another request.
            AnswerPending: Another call is deciding this request_id and was not done in half of this call's time.
            AppendTimeout, LogUnavailable, OutboxFull: The record is not durable; there is no slate.
        """
        if decision.purpose is Purpose.EVALUATE:
            await self._append(decision, None, (), deadline)
            return decision.answer
        async with self._locks.hold((decision.subject, decision.request_id)):
            return await self._settle_once(decision, deadline)

    async def drained(self, within_s: float) -> None:
        """Return when the appends of calls that are gone have ended; cuts off what has not `within_s` seconds."""
        await self._finishing.drained(within_s)

    async def _settle_once(self, decision: Decision, deadline: Deadline) -> WaitingAnswer:
        earlier, away = None, None
        async with _under_way(self._claimed(decision, deadline)) as claiming:
            ready = self._ready(decision)
            try:
                earlier = await claiming
            except (FeatureStoreDown, FeatureStoreTimeout) as fault:
                _LOG.warning("request ids are unchecked", extra={"reason": fault.reason})
                away = fault
        if earlier is not None:
            return _replayed(decision, earlier)
        # Longer than the call may last: an append that was given up might land, and a repeat be decided anew.
        lasting = Deadline.after(max(_APPENDING_S, deadline.remaining()), deadline.clock)
        try:
            await self._finishing.run(self._recorded(decision, ready, away, lasting), deadline.remaining())
        except TimeoutError as error:
            raise AppendTimeout() from error
        return decision.answer

    def _ready(self, decision: Decision) -> _Ready:
        """Sign the answer and make what is written of it: work of its own, done while the store looks for a claim."""
        self._sign(decision)
        event = slate_event(decision, (), 0, self._clock) if decision.funnel is None else None
        return _Ready(decision.answer.packed(decision.request_hash), event)

    async def _claimed(self, decision: Decision, deadline: Deadline) -> bytes | None:
        """Return None when the request_id is this decision's to decide, else the packed answer it was given.

        What another call has claimed is waited for: its answer must not be told before its record is durable. A claim
        of this very decision is one call sent twice; both append the same event ids, which count once.
        """
        claim, pause_s = claim_of(decision), _FIRST_LOOK_S
        patience = deadline.child(deadline.remaining() / 2)  # the append needs the rest
        while True:
            found = await self._answers.claim(decision.subject, decision.request_id, claim, deadline)
            if found is None or found == claim:
                return None
            if not is_claim(found):
                return found
            if not found.startswith(decision.request_hash):
                raise RequestIdReused()
            if patience.expired:
                raise AnswerPending()
            await asyncio.sleep(min(pause_s, patience.remaining()))
            pause_s = min(_SLOWEST_LOOK_S, pause_s * 2)

    async def _recorded(self, decision: Decision, ready: _Ready, away: Fault | None, deadline: Deadline) -> None:
        """Append and make the answer findable, or give the request_id back; the answer says what could not be done.

        Args:
            decision: What is recorded.
            ready: What is written of it.
            away: Why the store could not be asked for a claim.
            deadline: When the append has to be over.

        Cut off by the stop of the process, it leaves the claim to end by itself: the record may still land.
        """
        notes = (UNCHECKED,) if away is not None or ready.packed is None else ()
        try:
            await self._append(decision, ready.event, notes, deadline)
        except AppendTimeout:
            raise  # it may still land: a repeat waits until the claim ends
        except Exception:
            await self._forget(decision)
            raise
        decision.answer.note(notes)
        if away is None:
            failed = await self._kept(decision, ready.packed, deadline)
            decision.answer.note(failed if not notes else ())
        elif isinstance(away, FeatureStoreTimeout):
            # The claim may stand, and a repeat would wait for this answer in vain. A second look would cost the caller
            # as much again, so it does not wait.
            self._finishing.leave(self._kept(decision, decision.answer.packed(decision.request_hash), deadline))

    async def _kept(self, decision: Decision, packed: bytes | None, deadline: Deadline) -> tuple[Degradation, ...]:
        """Make the answer findable by repeats; one that is too long gives the request_id back."""
        served = decision.shown if decision.purpose is Purpose.SERVE else ()
        keeping = Deadline.after(_KEEPING_S, deadline.clock)
        try:
            await self._answers.keep(decision.subject, decision.request_id, packed, served, keeping)
        except (FeatureStoreDown, FeatureStoreTimeout) as fault:  # the record is durable: the answer is told
            _LOG.warning("an answer is not kept for repeats", extra={"reason": fault.reason})
            return (UNCHECKED,)
        if packed is None:
            await self._forget(decision)
        return ()

    async def _append(
        self, decision: Decision, ready: Event | None, notes: tuple[Degradation, ...], deadline: Deadline
    ) -> None:
        worth = Worth.SLATE if decision.purpose is Purpose.SERVE else Worth.OPTIONAL
        chunks = await self._append_funnel(decision, decision.funnel, deadline) if decision.funnel is not None else 0
        event = slate_event(decision, notes, chunks, self._clock) if ready is None or notes else ready
        await self._appender.append(DECISIONS, decision.subject, event, deadline=deadline, worth=worth)

    async def _append_funnel(self, decision: Decision, funnel: bytes, deadline: Deadline) -> int:
        """Return the number of chunks; 0 when the outbox has no room for funnels and the slate goes on without."""
        loop = asyncio.get_running_loop()
        parts = await loop.run_in_executor(self._executor, pack_funnel, funnel)
        entries = [(decision.subject, event) for event in funnel_events(decision, parts, self._clock)]
        try:
            await self._appender.append_many(FUNNELS, entries, deadline=deadline, worth=Worth.OPTIONAL)
        except OutboxFull:
            if decision.purpose is not Purpose.SERVE:
                raise
            count(names.FUNNELS_SHED)
            return 0
        return len(parts)

    async def _forget(self, decision: Decision) -> None:
        try:
            await self._answers.forget(decision.subject, decision.request_id, claim_of(decision))
        except Fault as fault:  # the append's own fault is the one to tell; the claim ends by itself in seconds
            _LOG.warning("a failed decision keeps its request id", extra={"reason": fault.reason})

    def _sign(self, decision: Decision) -> None:
        if decision.purpose is not Purpose.SERVE:
            return
        tokens = mint_slate(
            decision.decision_id,
            decision.subject,
            decision.surface,
            decision.occurred_at_ms // 1000 + self._tokens.ttl_s,
            zip(decision.shown, decision.answer.positions, strict=True),
            self._tokens.ring,
        )
        decision.answer.sign(tokens)


def _replayed(decision: Decision, packed: bytes) -> WaitingAnswer:
    request_hash, earlier = stored_answer(packed)
    if request_hash != decision.request_hash:
        raise RequestIdReused()
    return decision.answer if earlier.decision_id == decision.decision_id else earlier


@asynccontextmanager
async def _under_way(work: Coroutine[Any, Any, bytes | None]) -> AsyncIterator[asyncio.Task[bytes | None]]:
    """Run the block beside work that began before it; leaving the block ends the work."""
    task = asyncio.create_task(work)
    try:
        await asyncio.sleep(0)  # the loop's next turn, in which the work sends its question
        yield task
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait([task])
