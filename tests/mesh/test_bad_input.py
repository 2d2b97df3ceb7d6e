"""Bad input over real gRPC: each public RPC answers with the status, reason and field that its README states."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
import pytest_asyncio
from google.protobuf import descriptor_pool
from google.protobuf.timestamp_pb2 import Timestamp

from loopwright.api.exposure.v1 import exposure_service_pb2 as exposure_pb
from loopwright.api.ingest.v1 import ingest_service_pb2 as ingest_pb
from loopwright.api.policy.v1 import policy_service_pb2 as policy_pb
from loopwright.api.recommender.v1 import recommender_service_pb2 as pb
from loopwright.bundle import default_bundle, policy_version, with_values
from loopwright.eventlog import DECISIONS, set_ms
from loopwright.faults import RemoteFault
from loopwright.lifecycle import FixedClock
from loopwright.localmesh.composition import OneProcess
from loopwright.rpc import grpc_code
from loopwright.rpc.status import fault_from_call
from tests.mesh.readme_tables import OWN, Refusal, refusals
from tests.mesh.served import Served, served
from tests.mesh.world import NOW_MS, dice, document, message, populated

pytestmark = pytest.mark.asyncio(loop_scope="module")

SERVICES = {
    "recommender": "loopwright.api.recommender.v1.RecommenderService",
    "exposure": "loopwright.api.exposure.v1.ExposureService",
    "ingest": "loopwright.api.ingest.v1.IngestService",
    "policy": "loopwright.api.policy.v1.PolicyService",
}
PUBLIC = {
    service: [method.name for method in descriptor_pool.Default().FindServiceByName(name).methods]
    for service, name in SERVICES.items()
}
OVERSIZED = b"\x9a\x06" + b"\x80\x80\x80\x02" + bytes(4 << 20)  # field 99, 4 MiB long
MALFORMED = b"\x0a\xff\xff"
ACTIVE = policy_version(default_bundle())
OTHER = "0" * 64


@dataclass(frozen=True)
class Ready:
    """A served mesh with one slate served and one bundle of another surface published."""

    mesh: OneProcess
    served: Served
    first: pb.RecommendResponse
    second: pb.RecommendResponse
    elsewhere: str

    @property
    def token(self) -> str:
        return self.first.items[0].exposure_token


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ready(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ready]:
    clock = FixedClock(NOW_MS)
    async with populated(tmp_path_factory.mktemp("bad"), clock) as mesh, served(mesh, dice()) as found:
        answers = [await found.recommender.Recommend(message("u1", n), timeout=20) for n in (1, 2)]
        other = with_values(default_bundle(), {"surface": "side"})
        publish = policy_pb.PublishBundleRequest(document=document(other), actor="test")
        elsewhere = (await found.policy.PublishBundle(publish, timeout=20)).policy_version
        await mesh.settle()
        yield Ready(mesh, found, answers[0], answers[1], elsewhere)


@dataclass(frozen=True)
class Case:
    """One bad call: the request (bytes are sent as they are, a list is a stream), and how it must be refused."""

    name: str
    service: str
    rpc: str
    make: Callable[[Ready], Any]
    status: str
    reason: str
    field: str = ""
    timeout_s: float | None = 20.0

    def __str__(self) -> str:
        return f"{self.rpc}: {self.name}"


def invalid(service: str, rpc: str, name: str, field: str, make: Callable[[Ready], Any]) -> Case:
    return Case(name, service, rpc, make, "INVALID_ARGUMENT", "INVALID_REQUEST", field)


def recommend(name: str, field: str, **fields: Any) -> Case:
    return invalid("recommender", "Recommend", name, field, lambda _: message(**fields))


def impressions(token: str, **fields: Any) -> exposure_pb.ReportImpressionsRequest:
    shown = exposure_pb.Impression(exposure_token=token, seen=True)
    return exposure_pb.ReportImpressionsRequest(**({"client_event_id": "v1", "impressions": [shown]} | fields))


def actions(token: str, **fields: Any) -> exposure_pb.ReportActionsRequest:
    act = exposure_pb.Action(**({"exposure_token": token, "client_event_id": "a1", "kind": 1} | fields))
    return exposure_pb.ReportActionsRequest(actions=[act])


def at(ms: int) -> Timestamp:
    stamp = Timestamp()
    set_ms(stamp, ms)
    return stamp


def interactions(batch: int = 1, **fields: Any) -> ingest_pb.IngestInteractionsRequest:
    row = {"user_id": "u1", "item_id": "i1", "kind": 1, "client_event_id": "x1"} | fields
    return ingest_pb.IngestInteractionsRequest(batch=batch, interactions=[ingest_pb.Interaction(**row)])


def activate(**fields: Any) -> policy_pb.ActivateBundleRequest:
    values = {"surface": "home", "policy_version": ACTIVE, "expected_previous": ACTIVE, "actor": "test"}
    return policy_pb.ActivateBundleRequest(**(values | fields))


BAD_BUNDLE = document(default_bundle()).replace('"slice_rate":0.01', '"slice_rate":2.0')
WIRE = [
    case
    for service, rpcs in PUBLIC.items()
    for rpc in rpcs
    for case in (
        Case("larger than 4 MiB", service, rpc, lambda _: OVERSIZED, "RESOURCE_EXHAUSTED", OWN),
        Case("does not decode", service, rpc, lambda _: MALFORMED, "INVALID_ARGUMENT", "MALFORMED_MESSAGE"),
        Case("has no deadline", service, rpc, lambda _: b"", "INVALID_ARGUMENT", "DEADLINE_REQUIRED", timeout_s=None),
    )
]
FIELDS = [
    recommend("empty user", "user_id", user=""),
    invalid("recommender", "Recommend", "no user", "identity", lambda _: pb.RecommendRequest(
        request_id="r", surface="home", k=1, purpose=1)),  # type: ignore[arg-type]
    recommend("user of 257 bytes", "user_id", user="x" * 257),
    recommend("k = 0", "k", k=0),
    recommend("k = 10^6", "k", k=10**6),
    recommend("no purpose", "purpose", purpose=0),
    recommend("unknown purpose", "purpose", purpose=9),
    recommend("empty request_id", "request_id", request_id=""),
    recommend("surface that is no name", "surface", surface="Home page"),
    recommend("empty anchor", "anchor_item_ids[0]", anchor_item_ids=[""]),
    recommend("51 anchors", "anchor_item_ids", anchor_item_ids=["i1"] * 51),
    recommend("1,001 exclusions", "exclude_item_ids", exclude_item_ids=["i1"] * 1001),
    recommend("query of 513 bytes", "query_text", query_text="x" * 513),
    recommend("decide_at while serving", "", decide_at=at(NOW_MS)),
    recommend("exploration OFF while serving", "", exploration=2),
    invalid("recommender", "Explain", "no decision", "decision_id", lambda _: pb.ExplainRequest()),
    invalid("recommender", "Explain", "id that is none", "decision_id", lambda _: pb.ExplainRequest(decision_id="x")),
    invalid("exposure", "ReportImpressions", "no impressions", "impressions",
            lambda _: impressions("", impressions=[])),
    invalid("exposure", "ReportImpressions", "no token", "impressions[0].exposure_token", lambda _: impressions("")),
    invalid("exposure", "ReportImpressions", "no client id", "client_event_id",
            lambda r: impressions(r.token, client_event_id="")),
    invalid("exposure", "ReportImpressions", "tokens of two decisions", "impressions[1].exposure_token",
            lambda r: impressions("", impressions=[
                exposure_pb.Impression(exposure_token=a.items[0].exposure_token) for a in (r.first, r.second)])),
    invalid("exposure", "ReportActions", "no actions", "actions", lambda _: exposure_pb.ReportActionsRequest()),
    invalid("exposure", "ReportActions", "no token", "actions[0].exposure_token", lambda _: actions("")),
    invalid("exposure", "ReportActions", "no kind", "actions[0].kind", lambda r: actions(r.token, kind=0)),
    invalid("exposure", "ReportActions", "value NaN", "actions[0].value",
            lambda r: actions(r.token, value=float("nan"))),
    invalid("exposure", "ReportActions", "in the future", "actions[0].occurred_at",
            lambda r: actions(r.token, occurred_at=at(NOW_MS + 60_000))),
    invalid("ingest", "IngestItems", "empty item", "items[0].item_id",
            lambda _: [ingest_pb.IngestItemsRequest(batch=1, items=[ingest_pb.Item()])]),
    invalid("ingest", "IngestItems", "no items", "items", lambda _: [ingest_pb.IngestItemsRequest(batch=1)]),
    invalid("ingest", "IngestProfiles", "empty user", "profiles[0].user_id",
            lambda _: [ingest_pb.IngestProfilesRequest(batch=1, profiles=[ingest_pb.Profile()])]),
    invalid("ingest", "IngestInteractions", "empty user", "interactions[0].user_id",
            lambda _: [interactions(user_id="")]),
    invalid("ingest", "IngestInteractions", "value NaN", "interactions[0].value",
            lambda _: [interactions(value=float("nan"))]),
    invalid("ingest", "IngestInteractions", "batches that do not rise", "batch",
            lambda _: [interactions(2), interactions(2)]),
    invalid("ingest", "WithdrawItem", "empty item", "item_id", lambda _: ingest_pb.WithdrawItemRequest()),
    invalid("ingest", "ChangeInventory", "too many", "available",
            lambda _: ingest_pb.ChangeInventoryRequest(item_id="i1", available=10**13)),
    invalid("ingest", "LabelSafety", "empty item", "item_id", lambda _: ingest_pb.LabelSafetyRequest(safe=True)),
    invalid("ingest", "UpdateCreatorRelation", "no relation", "relation",
            lambda _: ingest_pb.UpdateCreatorRelationRequest(user_id="u1", creator="c", client_event_id="1")),
    invalid("ingest", "EraseSubject", "empty user", "user_id", lambda _: ingest_pb.EraseSubjectRequest()),
    invalid("ingest", "SetClock", "no time", "mesh_time", lambda _: ingest_pb.SetClockRequest(cause="test")),
    invalid("ingest", "SetClock", "before 1970", "mesh_time",
            lambda _: ingest_pb.SetClockRequest(cause="test", mesh_time=Timestamp(seconds=-1))),
    invalid("policy", "ValidateBundle", "no document", "document", lambda _: policy_pb.ValidateBundleRequest()),
    invalid("policy", "ValidateBundle", "document over 256 KiB", "document",
            lambda _: policy_pb.ValidateBundleRequest(document="#" * (256 * 1024 + 1))),
    invalid("policy", "PublishBundle", "no actor", "actor",
            lambda _: policy_pb.PublishBundleRequest(document=document(default_bundle()))),
    invalid("policy", "ActivateBundle", "version that is no hash", "policy_version",
            lambda _: activate(policy_version="v2")),
    invalid("policy", "ActivateBundle", "bundle of another surface", "surface",
            lambda r: activate(policy_version=r.elsewhere)),
    invalid("policy", "RollbackBundle", "empty surface", "surface",
            lambda _: policy_pb.RollbackBundleRequest(actor="test")),
    invalid("policy", "ListBundles", "limit of 10^6", "limit", lambda _: policy_pb.ListBundlesRequest(limit=10**6)),
]  # fmt: skip
MEANINGS = [
    Case("unknown surface", "recommender", "Recommend", lambda _: message(surface="elsewhere"),
         "INVALID_ARGUMENT", "UNKNOWN_SURFACE"),
    Case("re-used request_id", "recommender", "Recommend", lambda _: message("u1", 1, k=11),
         "INVALID_ARGUMENT", "REQUEST_ID_REUSED"),
    Case("unknown decision", "recommender", "Explain", lambda _: pb.ExplainRequest(decision_id="0" * 32),
         "NOT_FOUND", "DECISION_NOT_FOUND"),
    Case("bad token", "exposure", "ReportImpressions", lambda r: impressions(r.token[:-4] + "AAAA"),
         "INVALID_ARGUMENT", "TOKEN_INVALID", "impressions[0].exposure_token"),
    Case("bad token", "exposure", "ReportActions", lambda _: actions("no token of ours"),
         "INVALID_ARGUMENT", "TOKEN_INVALID", "actions[0].exposure_token"),
    Case("unknown item", "ingest", "WithdrawItem", lambda _: ingest_pb.WithdrawItemRequest(item_id="none"),
         "NOT_FOUND", "UNKNOWN_ITEM"),
    Case("unknown item", "ingest", "ChangeInventory", lambda _: ingest_pb.ChangeInventoryRequest(item_id="none"),
         "NOT_FOUND", "UNKNOWN_ITEM"),
    Case("unknown item", "ingest", "LabelSafety", lambda _: ingest_pb.LabelSafetyRequest(item_id="none"),
         "NOT_FOUND", "UNKNOWN_ITEM"),
    Case("a slate was served", "ingest", "SetClock", lambda _: ingest_pb.SetClockRequest(
        cause="test", mesh_time=at(NOW_MS + 1)), "FAILED_PRECONDITION", "CLOCK_REFUSED"),
    Case("invalid bundle", "policy", "PublishBundle", lambda _: policy_pb.PublishBundleRequest(
        document=BAD_BUNDLE, actor="test"), "INVALID_ARGUMENT", "BUNDLE_INVALID", "exploration.slice_rate"),
    Case("text that is no bundle", "policy", "PublishBundle", lambda _: policy_pb.PublishBundleRequest(
        document="a: [", actor="test"), "INVALID_ARGUMENT", "BUNDLE_INVALID"),
    Case("wrong expected_previous", "policy", "ActivateBundle", lambda _: activate(expected_previous=OTHER),
         "ABORTED", "EXPECTED_PREVIOUS_MISMATCH"),
    Case("no expected_previous", "policy", "ActivateBundle", lambda _: activate(expected_previous=""),
         "ABORTED", "EXPECTED_PREVIOUS_MISMATCH"),
    Case("unknown bundle", "policy", "ActivateBundle", lambda _: activate(policy_version=OTHER),
         "NOT_FOUND", "UNKNOWN_BUNDLE"),
    Case("unknown surface", "policy", "ActivateBundle", lambda _: activate(surface="elsewhere"),
         "INVALID_ARGUMENT", "UNKNOWN_SURFACE"),
    Case("unknown surface", "policy", "RollbackBundle", lambda _: policy_pb.RollbackBundleRequest(
        surface="elsewhere", actor="test"), "INVALID_ARGUMENT", "UNKNOWN_SURFACE"),
    Case("first bundle", "policy", "RollbackBundle", lambda _: policy_pb.RollbackBundleRequest(
        surface="home", actor="test"), "FAILED_PRECONDITION", "NOTHING_TO_ROLL_BACK"),
]  # fmt: skip
CASES = [*WIRE, *FIELDS, *MEANINGS]


async def refused(ready: Ready, case: Case) -> RemoteFault:
    """Make the call below our own client, which would refuse some of it itself; return what the server answered."""
    made = case.make(ready)
    sent = [m if isinstance(m, bytes) else m.SerializeToString() for m in (made if isinstance(made, list) else [made])]
    path = f"/{SERVICES[case.service]}/{case.rpc}"
    method = descriptor_pool.Default().FindServiceByName(SERVICES[case.service]).methods_by_name[case.rpc]

    def call() -> None:
        with grpc.insecure_channel(ready.served.targets[case.service]) as channel:
            if method.client_streaming:
                for _ in channel.stream_stream(path)(iter(sent), timeout=case.timeout_s):
                    pass
            else:
                channel.unary_unary(path)(sent[0], timeout=case.timeout_s)

    # grpc.aio reports its own failed write, not the server's status, when a refusal crosses a message of a stream.
    with pytest.raises(grpc.RpcError) as caught:
        await asyncio.to_thread(call)
    assert caught.value.code().name == case.status, caught.value.details()
    return fault_from_call(caught.value)


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_bad_input_is_refused_as_the_readme_says(ready: Ready, case: Case) -> None:
    appended = len(ready.mesh.broker.records(DECISIONS))
    fault = await refused(ready, case)
    assert grpc_code(fault.kind).name == case.status
    assert fault.reason == (case.status if case.reason == OWN else case.reason)
    assert not fault.retryable
    if case.field:
        assert case.field in [violation.field for violation in fault.violations]
        assert all(violation.rule and violation.description for violation in fault.violations)
    assert len(ready.mesh.broker.records(DECISIONS)) == appended


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_the_readme_of_the_service_lists_the_refusal(case: Case) -> None:
    listed = [(row.status, row.reason) for row in refusals(case.service) if row.concerns(case.rpc)]
    assert (case.status, case.reason) in listed


LISTED = [
    (service, rpc, row)
    for service, rpcs in PUBLIC.items()
    for rpc in rpcs
    for row in refusals(service)
    if row.concerns(rpc) and row.rpcs and row.status in {"INVALID_ARGUMENT", "NOT_FOUND"}
]


@pytest.mark.parametrize(("service", "rpc", "row"), LISTED, ids=lambda value: str(getattr(value, "reason", value)))
async def test_what_the_readme_lists_for_an_rpc_is_tested(service: str, rpc: str, row: Refusal) -> None:
    tested = {(case.service, case.rpc, case.status, case.reason) for case in CASES}
    assert (service, rpc, row.status, row.reason) in tested


async def test_a_mismatch_tells_what_is_active(ready: Ready) -> None:
    fault = await refused(ready, next(case for case in MEANINGS if case.name == "wrong expected_previous"))
    assert fault.metadata["active"] == ACTIVE
    clock = await refused(ready, next(case for case in MEANINGS if case.rpc == "SetClock"))
    assert clock.metadata["cause"] == "CLOCK_FIXED"


async def test_an_invalid_bundle_reads_as_one_line_a_field(ready: Ready) -> None:
    broken = BAD_BUNDLE.replace('"creator_cap":4', '"creator_cap":-1')
    answer = await ready.served.policy.ValidateBundle(policy_pb.ValidateBundleRequest(document=broken), timeout=20)
    told = {violation.field: violation.description for violation in answer.violations}
    assert answer.policy_version == "" and set(told) == {"exploration.slice_rate", "constraints.creator_cap"}
    assert told["exploration.slice_rate"] == "must be at most 1"
