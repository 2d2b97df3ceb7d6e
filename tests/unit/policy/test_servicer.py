from collections.abc import AsyncIterator
from dataclasses import replace

import grpc
import numpy as np
import pytest
from tests.unit.policy.slate.conftest import falling, query_of, random_query

from loopwright.api.policy.v1 import policy_service_pb2 as pb
from loopwright.api.policy.v1.policy_service_pb2_grpc import PolicyServiceStub, add_PolicyServiceServicer_to_server
from loopwright.api.policy.v1.slate_service_pb2_grpc import SlateServiceStub, add_SlateServiceServicer_to_server
from loopwright.bundle import canonical_json, default_bundle, default_document, policy_version, with_models, with_values
from loopwright.eventlog import MemoryBroker, MemoryEventLog
from loopwright.faults import Kind, RemoteFault
from loopwright.lifecycle import FixedClock, MeshClock, ReadinessReporter, process_over
from loopwright.pipeline.convert.slate import slate_from_proto, slate_query_to_proto
from loopwright.policy.bootstrap import Policy, bootstrap
from loopwright.policy.config import PolicySettings
from loopwright.policy.slate import decide
from loopwright.rpc import Mount, RpcSettings, fault_from_call, open_channel, serving

DEFAULT = policy_version(default_bundle())
OTHER = with_values(default_bundle(), {"ranking.best_n": 50})
TIMEOUT_S = 5.0


@pytest.fixture
def broker() -> MemoryBroker:
    return MemoryBroker()


@pytest.fixture
async def policy(broker: MemoryBroker) -> AsyncIterator[Policy]:
    settings = PolicySettings(rpc=RpcSettings(port=0))
    async with process_over(MemoryEventLog(broker, producer="policy"), "policy", settings) as process:
        async with bootstrap(settings, process) as ready:
            yield ready


@pytest.fixture
async def target(policy: Policy) -> AsyncIterator[str]:
    mounts = [
        Mount(add_SlateServiceServicer_to_server, policy.slates),
        Mount(add_PolicyServiceServicer_to_server, policy.policies),
    ]
    async with serving(mounts, RpcSettings(grace_s=0.1)) as server:
        yield server.target


@pytest.fixture
async def channel(target: str) -> AsyncIterator[grpc.aio.Channel]:
    async with open_channel(target) as opened:
        yield opened


@pytest.fixture
def slates(channel: grpc.aio.Channel) -> SlateServiceStub:
    return SlateServiceStub(channel)


@pytest.fixture
def policies(channel: grpc.aio.Channel) -> PolicyServiceStub:
    return PolicyServiceStub(channel)


async def refusal(call) -> RemoteFault:  # type: ignore[no-untyped-def]
    with pytest.raises(RemoteFault) as caught:
        await call
    return caught.value


async def publish(policies: PolicyServiceStub, document: str | None = None) -> pb.PublishBundleResponse:
    request = pb.PublishBundleRequest(document=document or canonical_json(OTHER).decode(), actor="anna")
    return await policies.PublishBundle(request, timeout=TIMEOUT_S)


def activation(version: str, expected: str = DEFAULT, surface: str = "home") -> pb.ActivateBundleRequest:
    return pb.ActivateBundleRequest(surface=surface, policy_version=version, expected_previous=expected, actor="anna")


def ranked(count: int = 40):  # type: ignore[no-untyped-def]
    return replace(random_query(3, n=count, k=10), policy_version=DEFAULT)


async def test_a_slate_over_the_wire_is_the_slate_of_the_pure_function(slates: SlateServiceStub) -> None:
    query = ranked()
    answered = slate_from_proto(await slates.DecideSlate(slate_query_to_proto(query), timeout=TIMEOUT_S))
    expected = decide(default_bundle(), query)
    assert answered.mutations == expected.mutations
    assert answered.propensity == expected.propensity
    for name in ("indices", "p_shown", "p_position", "schemes", "pre_swap_ranks", "utility", "drop_reasons"):
        assert getattr(answered, name).tolist() == getattr(expected, name).tolist()


async def test_a_slate_under_an_unknown_bundle_is_refused(slates: SlateServiceStub) -> None:
    query = replace(ranked(), policy_version="f" * 64)
    fault = await refusal(slates.DecideSlate(slate_query_to_proto(query), timeout=TIMEOUT_S))
    assert (fault.kind, fault.reason) == (Kind.FAILED_PRECONDITION, "BUNDLE_NOT_LOADED")


async def test_bad_queries_are_refused_with_the_field(slates: SlateServiceStub) -> None:
    twice = replace(query_of(falling(3), ids=[7, 7, 8]), policy_version=DEFAULT)
    short = replace(ranked(), guards=np.zeros(3, dtype=np.uint8))
    headless = replace(ranked(), head_names=("engage", "other"))
    for query, field in (
        (twice, "item_ids"),
        (short, "guards"),
        (headless, "head_names"),
        (replace(ranked(), k=0), "k"),
    ):
        fault = await refusal(slates.DecideSlate(slate_query_to_proto(query), timeout=TIMEOUT_S))
        assert (fault.kind, fault.reason) == (Kind.INVALID_ARGUMENT, "INVALID_REQUEST")
        assert fault.violations[0].field == field


async def test_scores_that_are_not_finite_are_our_fault_not_the_callers(slates: SlateServiceStub) -> None:
    query = ranked()
    query.heads[2, 0] = np.nan
    fault = await refusal(slates.DecideSlate(slate_query_to_proto(query), timeout=TIMEOUT_S))
    assert (fault.kind, fault.reason) == (Kind.INTERNAL, "OUTPUT_NOT_FINITE")


async def test_the_default_bundle_is_published_and_active_at_the_first_start(policies: PolicyServiceStub) -> None:
    listed = (await policies.ListBundles(pb.ListBundlesRequest(), timeout=TIMEOUT_S)).bundles
    assert [(bundle.policy_version, bundle.surface, bundle.active) for bundle in listed] == [(DEFAULT, "home", True)]
    assert listed[0].canonical_json == canonical_json(default_bundle()).decode()
    assert listed[0].published_at.ToMilliseconds() > 0


async def test_policy_reports_its_own_readiness_and_a_bundle_goes_through_its_whole_life(
    policies: PolicyServiceStub,
) -> None:
    published = await publish(policies)
    assert (published.policy_version, published.already_published) == (policy_version(OTHER), False)
    assert (await publish(policies)).already_published
    activated = await eventually(policies, activation(published.policy_version))
    assert list(activated.ready_replicas) == ["policy-0"]
    rolled = await policies.RollbackBundle(pb.RollbackBundleRequest(surface="home", actor="a"), timeout=TIMEOUT_S)
    assert rolled.policy_version == DEFAULT
    fault = await refusal(
        policies.RollbackBundle(pb.RollbackBundleRequest(surface="home", actor="a"), timeout=TIMEOUT_S)
    )
    assert (fault.kind, fault.reason) == (Kind.FAILED_PRECONDITION, "NOTHING_TO_ROLL_BACK")


async def eventually(policies: PolicyServiceStub, request: pb.ActivateBundleRequest) -> pb.ActivateBundleResponse:
    """Ask again while a replica is still loading, as clients do."""
    for _ in range(50):
        try:
            return await policies.ActivateBundle(request, timeout=TIMEOUT_S)
        except RemoteFault as fault:
            assert fault.metadata["state"] == "pending"
            assert fault.retryable
    raise AssertionError("still pending")


async def test_a_model_that_a_replica_refused_is_not_activated_and_the_old_bundle_serves_on(
    policies: PolicyServiceStub, slates: SlateServiceStub, broker: MemoryBroker
) -> None:
    model = "a" * 64
    bundle = with_models(default_bundle(), pre_ranker=model, ranker=model)
    version = (await publish(policies, canonical_json(bundle).decode())).policy_version
    log = MemoryEventLog(broker, producer="ranking")
    async with ReadinessReporter(log, FixedClock(1), "ranking", "ranking-0") as gone:  # type: ignore[arg-type]
        await gone.loaded("bundle", version)  # long ago: no heartbeat since
    async with ReadinessReporter(log, MeshClock(), "ranking", "ranking-1") as reporter:
        await reporter.rejected("bundle", version, "MODEL_NOT_FINITE: head engage, golden batch")
        fault = await settled(policies, activation(version))
    assert (fault.kind, fault.reason) == (Kind.FAILED_PRECONDITION, "REPLICA_NOT_READY")
    assert not fault.retryable
    assert fault.metadata["replica"] == "ranking-1"
    assert fault.metadata["cause"] == "MODEL_NOT_FINITE"
    listed = (await policies.ListBundles(pb.ListBundlesRequest(surface="home"), timeout=TIMEOUT_S)).bundles
    assert [bundle.policy_version for bundle in listed if bundle.active] == [DEFAULT]
    assert (
        len(slate_from_proto(await slates.DecideSlate(slate_query_to_proto(ranked()), timeout=TIMEOUT_S)).indices) == 10
    )


async def settled(policies: PolicyServiceStub, request: pb.ActivateBundleRequest) -> RemoteFault:
    """Ask until the refusal is not a matter of the view's lag."""
    for _ in range(50):
        fault = await refusal(policies.ActivateBundle(request, timeout=TIMEOUT_S))
        if fault.metadata["state"] == "rejected":
            return fault
    raise AssertionError(f"never refused for good: {fault}")


async def test_activation_is_refused_with_status_and_reason(policies: PolicyServiceStub) -> None:
    version = (await publish(policies)).policy_version
    for request, kind, reason in (
        (activation(version, expected=""), Kind.ABORTED, "EXPECTED_PREVIOUS_MISMATCH"),
        (activation(version, expected=version), Kind.ABORTED, "EXPECTED_PREVIOUS_MISMATCH"),
        (activation("f" * 64), Kind.NOT_FOUND, "UNKNOWN_BUNDLE"),
        (activation(version, surface="nowhere"), Kind.INVALID_ARGUMENT, "UNKNOWN_SURFACE"),
        (activation("latest"), Kind.INVALID_ARGUMENT, "INVALID_REQUEST"),
        (activation(version, surface="Home Page"), Kind.INVALID_ARGUMENT, "INVALID_REQUEST"),
    ):
        fault = await refusal(policies.ActivateBundle(request, timeout=TIMEOUT_S))
        assert (fault.kind, fault.reason) == (kind, reason)


async def test_a_rollback_on_an_unknown_surface_is_refused(policies: PolicyServiceStub) -> None:
    request = pb.RollbackBundleRequest(surface="nowhere", actor="anna")
    fault = await refusal(policies.RollbackBundle(request, timeout=TIMEOUT_S))
    assert (fault.kind, fault.reason) == (Kind.INVALID_ARGUMENT, "UNKNOWN_SURFACE")


async def test_an_invalid_bundle_is_refused_by_field_and_validation_answers_the_same(
    policies: PolicyServiceStub,
) -> None:
    document = default_document().replace("slice_rate: 0.01", "slice_rate: 2.0")
    fault = await refusal(publish(policies, document))
    assert (fault.kind, fault.reason) == (Kind.INVALID_ARGUMENT, "BUNDLE_INVALID")
    told = [("exploration.slice_rate", "must be at most 1")]
    assert [(entry.field, entry.description) for entry in fault.violations] == told
    answer = await policies.ValidateBundle(pb.ValidateBundleRequest(document=document), timeout=TIMEOUT_S)
    assert [(entry.field, entry.description) for entry in answer.violations] == told
    assert answer.policy_version == ""
    answer = await policies.ValidateBundle(pb.ValidateBundleRequest(document=default_document()), timeout=TIMEOUT_S)
    assert (answer.policy_version, list(answer.violations)) == (DEFAULT, [])


async def test_requests_without_document_actor_or_deadline_are_refused(
    policies: PolicyServiceStub, target: str
) -> None:
    for request, field in (
        (pb.PublishBundleRequest(document="", actor="a"), "document"),
        (pb.PublishBundleRequest(document="x", actor=""), "actor"),
        (pb.PublishBundleRequest(document="x" * 262_145, actor="a"), "document"),
    ):
        fault = await refusal(policies.PublishBundle(request, timeout=TIMEOUT_S))
        assert (fault.kind, fault.violations[0].field) == (Kind.INVALID_ARGUMENT, field)
    async with grpc.aio.insecure_channel(target) as bare:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await PolicyServiceStub(bare).ListBundles(pb.ListBundlesRequest())
    assert fault_from_call(caught.value).reason == "DEADLINE_REQUIRED"
