import pytest
from tests.unit.policy.bundles.conftest import FakeReadiness, published

from loopwright.bundle import default_bundle, with_models
from loopwright.faults import ReplicaNotReady
from loopwright.lifecycle import ReplicaState
from loopwright.policy.bundles import MUST_LOAD, ReadinessGate
from loopwright.policy.faults import ReplicaPending

MODEL = "a" * 64
PLAIN = published(default_bundle())
RANKED = published(with_models(default_bundle(), two_tower=MODEL, pre_ranker=MODEL, ranker=MODEL))


@pytest.fixture
def view() -> FakeReadiness:
    fake = FakeReadiness()
    for service in MUST_LOAD:
        fake.alive(service, f"{service}-0")
    return fake


def test_the_gate_opens_when_every_live_replica_has_loaded_the_bundle(view: FakeReadiness) -> None:
    view.alive("ranking", "ranking-1", "ranking-0")
    view.all_loaded(RANKED.version)
    assert ReadinessGate(view).require(RANKED) == [
        "hydration-0", "policy-0", "ranking-0", "ranking-1", "recommender-0", "retrieval-0",
    ]  # fmt: skip


def test_one_of_two_replicas_that_still_loads_keeps_it_shut_and_a_retry_may_help(view: FakeReadiness) -> None:
    view.all_loaded(RANKED.version)
    view.alive("ranking", "ranking-0", "ranking-1")
    with pytest.raises(ReplicaPending) as caught:
        ReadinessGate(view).require(RANKED)
    assert caught.value.reason == "REPLICA_NOT_READY"
    assert caught.value.retryable
    assert caught.value.metadata == {"replica": "ranking-1", "state": "pending", "cause": "NOT_LOADED"}


@pytest.mark.parametrize("cause", ["MODEL_NOT_FINITE", "MODEL_HASH_MISMATCH", "MODEL_FEATURE_MISMATCH"])
def test_a_refusal_is_final_and_carries_the_replicas_reason(view: FakeReadiness, cause: str) -> None:
    view.all_loaded(RANKED.version)
    view.say("ranking-0", "bundle", RANKED.version, ReplicaState.REJECTED, f"{cause}: head engage of row 3")
    view.alive("retrieval", "retrieval-0", "retrieval-1")  # still loads: the refusal matters more
    with pytest.raises(ReplicaNotReady) as caught:
        ReadinessGate(view).require(RANKED)
    assert not isinstance(caught.value, ReplicaPending)
    assert not caught.value.retryable
    assert caught.value.metadata == {"replica": "ranking-0", "state": "rejected", "cause": cause}
    assert "ranking-0: " + cause in caught.value.message


def test_a_refused_model_explains_a_bundle_that_was_not_reported_on(view: FakeReadiness) -> None:
    view.say("retrieval-0", "two_tower", MODEL, ReplicaState.REJECTED, "MODEL_MISSING: no such folder")
    with pytest.raises(ReplicaNotReady, match="MODEL_MISSING"):
        ReadinessGate(view).require(RANKED)


def test_a_model_is_not_activated_when_nobody_alive_would_serve_it(view: FakeReadiness) -> None:
    view.all_loaded(RANKED.version)
    view.alive("ranking")
    with pytest.raises(ReplicaNotReady) as caught:
        ReadinessGate(view).require(RANKED)
    assert caught.value.metadata == {"replica": "ranking", "state": "absent", "cause": "NO_LIVE_REPLICA"}


def test_a_bundle_without_models_needs_only_those_who_live() -> None:
    view = FakeReadiness()
    assert ReadinessGate(view).require(PLAIN) == []
    view.alive("recommender", "recommender-0")
    with pytest.raises(ReplicaPending):
        ReadinessGate(view).require(PLAIN)


def test_services_that_do_not_read_bundles_are_not_asked(view: FakeReadiness) -> None:
    view.all_loaded(PLAIN.version)
    view.alive("exposure", "exposure-0")
    assert "exposure-0" not in ReadinessGate(view).require(PLAIN)
