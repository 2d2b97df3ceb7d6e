"""`Asking`: the planned sources of one request in, one answer made of their proposals out; the retriever makes it.

Costly sources run on worker threads, each within its budget, and whichever thread hears the last of them goes on to
make the answer: a request crosses to the threads and back once. Where the last one is given up, or none is costly, a
thread makes it that no source runs on: late sources may hold all of theirs.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from functools import partial

from opentelemetry.trace import Span

from loopwright.faults import Fault
from loopwright.pipeline.types import CandidateSet, SourcePlan, SourceReport
from loopwright.retrieval.query import Proposal, nothing
from loopwright.rpc import Deadline
from loopwright.rpc.alarms import Alarm, alarms, within
from loopwright.telemetry import get_logger, names, observe, open_span

_log = get_logger(__name__)

Propose = Callable[[SourcePlan], Proposal]
Assemble = Callable[[Sequence[Proposal], tuple[SourceReport, ...]], CandidateSet]

MAKING_SHARE = 0.1
"""Share of the request's time in which no source is waited for any more: the answer has to be made of the others."""


@dataclass(slots=True, eq=False)
class _Question:
    """One source asked; closed once it answered, failed or was given up, and unchanged from then on."""

    plan: SourcePlan
    span: Span
    asked_s: float = field(default_factory=time.monotonic)
    asked_ns: int = field(default_factory=time.time_ns)
    proposal: Proposal = field(default_factory=nothing)
    reason: str = ""
    error: Exception | None = None
    latency_s: float = 0.0
    closed: bool = False
    work: Future[None] | None = None
    alarm: Alarm | None = None

    def close(self, proposal: Proposal, reason: str, error: Exception | None) -> None:
        """Take what the source proposes, or nothing and why."""
        self.proposal, self.reason, self.error = proposal, reason, error
        self.latency_s = time.monotonic() - self.asked_s
        self.closed = True

    def report(self) -> SourceReport:
        """Return how the source fared."""
        latency_us, found = round(self.latency_s * 1e6), len(self.proposal.item_ids)
        return SourceReport(self.plan.source, found, latency_us, bool(self.reason), self.reason)


@dataclass(frozen=True, slots=True)
class Threads:
    """Where sources are asked, and where the answer is made when none of them is left to make it."""

    asking: Executor
    making: Executor


class Asking:
    """The sources of one request at work; made and awaited on the event loop, once."""

    def __init__(self, propose: Propose, assemble: Assemble, threads: Threads) -> None:
        """Take what to do.

        Args:
            propose: Asks one source; on the event loop or a worker thread.
            assemble: Makes the answer of proposals and reports, in the order of the plans; on a worker thread.
            threads: Where to do it.
        """
        self._propose, self._assemble, self._threads = propose, assemble, threads
        self._loop = asyncio.get_running_loop()
        self._answer: asyncio.Future[CandidateSet] = self._loop.create_future()
        self._questions: list[_Question] = []
        self._open = 0
        self._lock = threading.Lock()  # guards `closed` and `_open`: threads answer, the event loop gives up

    async def answer(
        self, plans: Sequence[SourcePlan], cheap: Callable[[SourcePlan], bool], deadline: Deadline
    ) -> CandidateSet:
        """Ask every planned source; one that fails, or is not done within its budget, proposes nothing.

        Args:
            plans: Whom to ask.
            cheap: Which sources to ask on the event loop, where no budget can cut them.
            deadline: Of the request; cuts every budget.

        Raises:
            TimeoutError: The deadline passed.
        """
        costly: list[_Question] = []
        try:
            for plan in plans:
                question = _Question(plan, open_span(names.RETRIEVE_SOURCE, fill=plan.source.name.lower()))
                self._questions.append(question)
                if cheap(plan):
                    question.close(*self._asked(plan))
                else:
                    costly.append(question)
            self._open = len(costly)
            reserve_s = MAKING_SHARE * deadline.remaining()
            for question in costly:
                question.work = self._threads.asking.submit(self._work, question)
                budget = deadline.child(question.plan.budget_ms / 1000, reserve_s)
                question.alarm = alarms().after(budget.remaining(), partial(self._give_up, question))
            if not costly:
                self._threads.making.submit(self._finish)
            with within(deadline.remaining()):
                return await self._answer
        finally:
            self._leave()

    def _asked(self, plan: SourcePlan) -> tuple[Proposal, str, Exception | None]:
        try:
            return self._propose(plan), "", None
        except Fault as fault:
            return nothing(), fault.reason, None
        except Exception as error:
            return nothing(), "INTERNAL", error

    def _work(self, question: _Question) -> None:
        """On a worker thread: ask one source, and make the answer when it was the last one."""
        if self._closed_last(question, *self._asked(question.plan)):
            self._finish()

    def _give_up(self, question: _Question) -> None:
        """On the event loop: the source's budget has passed."""
        if question.work is not None:
            question.work.cancel()
        if self._closed_last(question, nothing(), "TIMEOUT", None):
            self._threads.making.submit(self._finish)

    def _closed_last(self, question: _Question, proposal: Proposal, reason: str, error: Exception | None) -> bool:
        with self._lock:
            if question.closed:
                return False
            question.close(proposal, reason, error)
            self._open -= 1
            return self._open == 0

    def _finish(self) -> None:
        """On a worker thread: make the answer, and wake the event loop with it."""
        try:
            made: CandidateSet | Exception = self._assemble(
                [question.proposal for question in self._questions],
                tuple(question.report() for question in self._questions),
            )
        except Exception as error:
            made = error
        self._loop.call_soon_threadsafe(self._deliver, made)

    def _deliver(self, made: CandidateSet | Exception) -> None:
        if self._answer.done():  # the request was given up meanwhile
            return
        if isinstance(made, Exception):
            self._answer.set_exception(made)
        else:
            self._answer.set_result(made)

    def _leave(self) -> None:
        """Leave nothing behind: work that has not begun is dropped, and what still runs makes no answer."""
        with self._lock:
            self._open = -1
        for question in self._questions:
            if question.alarm is not None:
                alarms().call_off(question.alarm)
            if question.work is not None:
                question.work.cancel()
            if question.closed:
                observe(names.CANDIDATES, len(question.proposal.item_ids), source=question.plan.source.name.lower())
                question.span.end(question.asked_ns + round(question.latency_s * 1e9))
            else:
                question.span.end()
            if question.error is not None:
                _log.error("source failed", extra={"source": question.plan.source.name}, exc_info=question.error)
