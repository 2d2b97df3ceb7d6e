from collections.abc import Sequence

from loopwright.bundle import PolicyBundle, Published, canonical_json, policy_version
from loopwright.lifecycle import Replica, ReplicaState, Report


class FakeReadiness:
    """A readiness view whose replicas say what a test makes them say."""

    def __init__(self) -> None:
        self.replicas: dict[str, list[str]] = {}
        self.reports: dict[tuple[str, str, str], Report] = {}

    def alive(self, service: str, *names: str) -> None:
        self.replicas[service] = list(names)

    def say(self, replica: str, kind: str, artefact: str, state: ReplicaState, reason: str = "") -> None:
        service = replica.partition("-")[0]
        self.reports[replica, kind, artefact] = Report(replica, service, kind, artefact, state, reason, 0)

    def all_loaded(self, version: str) -> None:
        for names in self.replicas.values():
            for name in names:
                self.say(name, "bundle", version, ReplicaState.LOADED)

    def live(self, service: str) -> Sequence[Replica]:
        return [Replica(name, service, 0, 0) for name in self.replicas.get(service, [])]

    def state(self, replica: str, kind: str, artefact: str) -> Report | None:
        return self.reports.get((replica, kind, artefact))


def published(bundle: PolicyBundle) -> Published:
    return Published(policy_version(bundle), bundle.surface, bundle, canonical_json(bundle), 0, "test", "")
