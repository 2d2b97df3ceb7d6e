"""`ReadinessGate`: how every live replica stands to a bundle, and the refusal while one has not loaded it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from loopwright.bundle import Models, Published
from loopwright.faults import ReplicaNotReady
from loopwright.lifecycle import Replica, ReplicaState, Report
from loopwright.policy.faults import ReplicaPending

MUST_LOAD = ("hydration", "policy", "ranking", "recommender", "retrieval")
"""Services on the request path that read the bundle; the others follow the log, not the bundle."""

_NEEDED_BY_MODEL = {"two_tower": "retrieval", "pre_ranker": "ranking", "ranker": "ranking"}


class Readiness(Protocol):
    """What the gate needs of `lifecycle.ReadinessView`."""

    def live(self, service: str) -> Sequence[Replica]:
        """Return the replicas of a service with a heartbeat within the last seconds."""
        ...

    def state(self, replica: str, kind: str, artefact: str) -> Report | None:
        """Return what a replica last reported about an artefact."""
        ...


@dataclass(frozen=True, slots=True)
class Standing:
    """How one replica stands to one bundle.

    Attributes:
        replica: Its name, or the service's when no replica of a service that is needed is alive.
        state: `ready`, `pending`, `rejected` or `absent`.
        reason: Stable code, then text; empty when ready.
    """

    replica: str
    state: str
    reason: str = ""

    @property
    def ready(self) -> bool:
        """Whether the bundle is loaded there."""
        return self.state == "ready"


class ReadinessGate:
    """Reads the readiness topic; decides nothing else."""

    def __init__(self, view: Readiness) -> None:
        """Takes the view of the readiness topic."""
        self._view = view

    def standings(self, published: Published) -> list[Standing]:
        """Return how every live replica of the services in `MUST_LOAD` stands to the bundle.

        A service that a pinned model needs and that has no live replica stands as `absent`.
        """
        models = published.bundle.models
        needed = {_NEEDED_BY_MODEL[kind] for kind, _ in models.pinned()}
        found: list[Standing] = []
        for service in MUST_LOAD:
            replicas = sorted(self._view.live(service), key=lambda replica: replica.name)
            if not replicas and service in needed:
                found.append(Standing(service, "absent", "NO_LIVE_REPLICA: nobody would serve the pinned models"))
            found += [self._standing(replica.name, published.version, models) for replica in replicas]
        return found

    def require(self, published: Published) -> list[str]:
        """Return the names of the replicas that have the bundle loaded, which is all of them.

        Raises:
            ReplicaNotReady: one refused it or is missing; final until somebody acts.
            ReplicaPending: one is still loading; ask again.
        """
        standings = self.standings(published)
        for state, fault in (("rejected", ReplicaNotReady), ("absent", ReplicaNotReady), ("pending", ReplicaPending)):
            found = [standing for standing in standings if standing.state == state]
            if found:
                told = "; ".join(f"{one.replica}: {one.reason}" for one in found[:4])
                raise fault(f"{told} ({len(found)} {state})", metadata=_metadata(found[0]))
        return [standing.replica for standing in standings]

    def _standing(self, replica: str, version: str, models: Models) -> Standing:
        """A model that the replica refused explains a bundle that it has not reported on."""
        report = self._view.state(replica, "bundle", version)
        if report is not None and report.state is ReplicaState.LOADED:
            return Standing(replica, "ready")
        if report is not None and report.state is ReplicaState.REJECTED:
            return Standing(replica, "rejected", report.reason or "REJECTED")
        for kind, model in models.pinned():
            refused = self._view.state(replica, kind, model)
            if refused is not None and refused.state is ReplicaState.REJECTED:
                return Standing(replica, "rejected", refused.reason or "REJECTED")
        return Standing(replica, "pending", "NOT_LOADED: has not reported on the bundle yet")


def _metadata(standing: Standing) -> dict[str, str]:
    cause = standing.reason.partition(":")[0]
    return {"replica": standing.replica, "state": standing.state, "cause": cause}
