from collections.abc import Callable

import pytest

from loopwright.api.events.v1.policy_pb2 import PolicyActivated, PolicyPublished, PolicyRolledBack
from loopwright.bundle import PolicyBundle, canonical_json, default_bundle, policy_version, with_values
from loopwright.domain.ids import event_id
from loopwright.eventlog import Event, make_event
from loopwright.lifecycle import FixedClock


class PolicyFacts:
    """Makes events of the POLICIES topic, one millisecond apart, over a few bundles."""

    def __init__(self) -> None:
        self.now_ms = 1_000
        self.bundles = [with_values(default_bundle(), {"ranking.best_n": n}) for n in (100, 101, 102, 103)]
        self.versions = [policy_version(bundle) for bundle in self.bundles]

    def _event(self, identity: bytes | None, **payload: object) -> Event:
        self.now_ms += 1
        return make_event(
            identity or event_id(self.now_ms), self.now_ms, FixedClock(self.now_ms), "policy", surface="home", **payload
        )

    def publish(self, bundle: PolicyBundle, identity: bytes | None = None, **changes: object) -> Event:
        fields: dict[str, object] = {
            "policy_version": policy_version(bundle),
            "surface": bundle.surface,
            "canonical": canonical_json(bundle),
            "actor": "test",
        }
        return self._event(identity, policy_published=PolicyPublished(**{**fields, **changes}))  # type: ignore[arg-type]

    def activate(self, version: str, expected: str = "", identity: bytes | None = None, surface: str = "home") -> Event:
        fact = PolicyActivated(policy_version=version, surface=surface, expected_previous=expected, actor="test")
        return self._event(identity, policy_activated=fact)

    def roll_back(self, version: str, source: str, identity: bytes | None = None) -> Event:
        fact = PolicyRolledBack(policy_version=version, surface="home", from_version=source, actor="test")
        return self._event(identity, policy_rolled_back=fact)


@pytest.fixture
def facts() -> PolicyFacts:
    return PolicyFacts()


@pytest.fixture
def new_facts() -> Callable[[], PolicyFacts]:
    return PolicyFacts
