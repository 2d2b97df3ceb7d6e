"""Decides one request: picks the policy, runs the pipeline, has the record appended, returns the answer.

The servicer calls it with a parsed request; in one process it runs over the domain objects themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from loopwright.bundle import BundleFeed
from loopwright.domain.enums import DegradationReason, Purpose, Stage
from loopwright.domain.ids import make_decision_id
from loopwright.faults import BundleNotLoaded, NotReady, RequestIdReused, UnknownSurface
from loopwright.lifecycle import MeshClock
from loopwright.pipeline.answer import Answer
from loopwright.pipeline.assemble import Identity, assemble
from loopwright.pipeline.convert.answer import StoredAnswer, unpack_stored
from loopwright.pipeline.plan import Plan
from loopwright.pipeline.runner import Pipeline
from loopwright.pipeline.types import Degradation, Request
from loopwright.rpc import Deadline
from loopwright.telemetry import count, get_logger, names, span

log = get_logger(__name__)


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
            Fault: A stage failed that nothing can stand in for, or the record could not be made durable.
        """
        with span(names.RECOMMEND, {names.PURPOSE.name: request.purpose.name, names.SURFACE.name: request.surface}):
            active = self._feed.active(request.surface)
            if active is None:
                raise UnknownSurface(f"no policy was ever activated on surface {request.surface!r}")
            seed, now_ms = self._dice.seed(), request.decide_at_ms or self._clock.now_ms()
            try:
                return await self._decide(request, active.version, seed, now_ms, deadline, ())
            except BundleNotLoaded:
                if not active.previous:
                    raise
                log.warning("a leaf lacks the active policy, running the previous one")
                note = Degradation(Stage.RECOMMEND, DegradationReason.PREVIOUS_POLICY, active.version[:12])
                return await self._decide(request, active.previous, seed, now_ms, deadline, (note,))

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
        scale = max(1.0, deadline.remaining() * 1000 / bundle.deadlines_ms.total)
        plan = Plan(version, bundle, request, now_ms, seed, scale)
        timings: dict[Stage, int] = {}
        user = await self._pipeline.user(plan, deadline, timings)
        if user.stored_answer and request.purpose is not Purpose.EVALUATE:
            return _stored(request, unpack_stored(user.stored_answer))
        run = await self._pipeline.execute(plan, user, deadline, timings)
        wall_ms = self._clock.wall_ms()
        identity = Identity(make_decision_id(wall_ms, request.subject, self._dice.entropy()), wall_ms)
        record, answer = assemble(run, identity, notes)
        settled = await self._pipeline.settle(run, record, answer, deadline)
        for degradation in settled.degradations:
            count(
                names.DEGRADATIONS,
                stage=degradation.stage.name.lower(),
                reason=degradation.reason.name.lower(),
            )
        return settled


def _stored(request: Request, stored: StoredAnswer) -> Answer:
    if stored.request_hash != request.request_hash:
        raise RequestIdReused(f"request_id {request.request_id!r} was used for another request")
    return stored.answer
