"""Decides one request: picks the policy, runs the pipeline, has the record appended, returns the answer.

The servicer calls it with a parsed request; in one process it runs over the domain objects themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from loopwright.bundle import BundleFeed, PolicyBundle
from loopwright.domain.enums import DegradationReason, Purpose, Stage
from loopwright.domain.ids import make_decision_id
from loopwright.faults import BundleNotLoaded, NotReady, RequestIdReused, UnknownSurface
from loopwright.lifecycle import MeshClock
from loopwright.pipeline.answer import Answer
from loopwright.pipeline.assemble import Identity, assemble
from loopwright.pipeline.convert.answer import StoredAnswer, is_pending, unpack_stored
from loopwright.pipeline.losses import StageLate
from loopwright.pipeline.plan import Plan
from loopwright.pipeline.runner import Pipeline
from loopwright.pipeline.types import Degradation, Request
from loopwright.recommender.telling import tell
from loopwright.rpc import Deadline
from loopwright.telemetry import count, get_logger, names, span

log = get_logger(__name__)

WAY_BACK_SHARE = 0.25
"""Share of the caller's time kept for the answer's way back: an answer that is right and late is late."""

FEED_MAX_AGE_MS = 1000
"""Age of the bundle feed above which an answer says that a switch may have been missed."""


@dataclass(frozen=True, slots=True)
class Dice:
    """Where a decision's seed and id entropy come from; injected so that tests can fix them."""

    seed: Callable[[], int]
    entropy: Callable[[], bytes]


class FrontDoor:
    """One per process; holds no state of requests."""

    def __init__(self, pipeline: Pipeline, feed: BundleFeed, clock: MeshClock, dice: Dice) -> None:
        """Take the pipeline, the feed of bundles, the mesh clock and the source of randomness."""
        self._pipeline = pipeline
        self._feed = feed
        self._clock = clock
        self._dice = dice

    async def recommend(self, request: Request, deadline: Deadline) -> Answer:
        """Return a slate for the request.

        Raises:
            UnknownSurface: No bundle was ever active on the surface.
            RequestIdReused: The request id was used for another request.
            DeadlineExceeded: The caller's own time is over.
            Fault: A stage failed and nothing stands in for it, or the record could not be made durable.
        """
        deadline.check()
        with span(names.RECOMMEND, {names.PURPOSE.name: request.purpose.name, names.SURFACE.name: request.surface}):
            active = self._feed.active(request.surface)
            if active is None:
                raise UnknownSurface(f"no policy was ever activated on surface {request.surface!r}")
            seed = self._dice.seed()
            now_ms = self._clock.now_ms() if request.decide_at_ms is None else request.decide_at_ms
            notes = self._staleness()
            try:
                return await self._decide(request, active.version, seed, now_ms, deadline, notes)
            except BundleNotLoaded:
                if not active.previous:
                    raise
                log.warning("a leaf lacks the active policy, running the previous one")
                note = Degradation(Stage.RECOMMEND, DegradationReason.PREVIOUS_POLICY, active.version[:12])
                return await self._decide(request, active.previous, seed, now_ms, deadline, (*notes, note))
            except StageLate:
                deadline.check()
                raise

    async def _decide(
        self,
        request: Request,
        version: str,
        seed: int,
        now_ms: int,
        deadline: Deadline,
        notes: tuple[Degradation, ...],
    ) -> Answer:
        bundle = self._feed.get(version)
        if bundle is None:
            raise NotReady(f"policy {version[:12]} is active and not yet known here")
        times = times_of(bundle, deadline)
        plan = Plan(version, bundle, request, now_ms, seed, times.scale, self._feed.fallback(request.surface))
        timings: dict[Stage, int] = {}
        user = await self._pipeline.user(plan, times.decided, timings)
        known = bool(user.stored_answer) and not is_pending(user.stored_answer)  # what is pending, exposure settles
        if known and request.purpose is not Purpose.EVALUATE:
            stored = _stored(request, unpack_stored(user.stored_answer))
            tell(stored)
            return stored
        run = await self._pipeline.execute(plan, user, times.decided, timings)
        wall_ms = self._clock.wall_ms()
        identity = Identity(make_decision_id(wall_ms, request.subject, self._dice.entropy()), wall_ms)
        record, answer = assemble(run, identity, notes)
        settled = await self._pipeline.settle(run, record, answer, times.settled)
        tell(settled)
        for degradation in settled.degradations:
            count(
                names.DEGRADATIONS,
                stage=degradation.stage.name.lower(),
                reason=degradation.reason.name.lower(),
            )
        return settled

    def _staleness(self) -> tuple[Degradation, ...]:
        caught_up_at_ms = self._feed.caught_up_at_ms
        if caught_up_at_ms is not None and self._clock.wall_ms() - caught_up_at_ms <= FEED_MAX_AGE_MS:
            return ()
        return (Degradation(Stage.RECOMMEND, DegradationReason.STALE_POLICY_FEED),)


@dataclass(frozen=True, slots=True)
class Times:
    """When a request's slate has to be decided, when its record settled, and how far budgets are stretched."""

    decided: Deadline
    settled: Deadline
    scale: float


def times_of(bundle: PolicyBundle, deadline: Deadline) -> Times:
    """Cut the caller's time: a share for the way back, the record's share of the rest, and what is left to decide.

    So a slate that had to do without its stages still has time to get onto the log.
    """
    granted_s = deadline.remaining() * (1 - WAY_BACK_SHARE)
    settled = deadline.child(granted_s)
    limits = bundle.deadlines_ms
    record_share = min(limits.record / limits.total, 0.5)
    decided = settled.child(granted_s, reserve_s=record_share * granted_s)
    return Times(decided, settled, max(1.0, granted_s * 1000 / limits.total))


def _stored(request: Request, stored: StoredAnswer) -> Answer:
    if stored.request_hash != request.request_hash:
        raise RequestIdReused(f"request_id {request.request_id!r} was used for another request")
    return stored.answer
