from __future__ import annotations

import grpc
import pytest
from google.rpc import error_details_pb2
from hypothesis import given
from hypothesis import strategies as st

from loopwright.faults import (
    AppendTimeout,
    BreakerOpen,
    DependencyDown,
    Fault,
    FieldViolation,
    InvalidRequest,
    Kind,
    LogUnavailable,
    NotFound,
    NotReady,
    OutboxFull,
    RemoteFault,
)
from loopwright.rpc.status import DOMAIN, fault_from_call, grpc_code, to_status


def _call(fault: Fault) -> grpc.aio.AioRpcError:
    status = to_status(fault)
    return grpc.aio.AioRpcError(
        grpc_code(fault.kind),
        grpc.aio.Metadata(),
        grpc.aio.Metadata(("grpc-status-details-bin", status.SerializeToString())),
        details=status.message,
    )


def test_every_kind_has_one_code_of_its_own() -> None:
    codes = [grpc_code(kind) for kind in Kind]
    assert len(set(codes)) == len(codes) == len(Kind)
    assert grpc_code(Kind.DEADLINE) is grpc.StatusCode.DEADLINE_EXCEEDED


def test_a_status_names_reason_and_domain() -> None:
    info = error_details_pb2.ErrorInfo()
    status = to_status(NotFound(metadata={"policy_version": "abc"}))
    assert status.code == grpc.StatusCode.NOT_FOUND.value[0]
    assert status.details[0].Unpack(info)
    assert (info.reason, info.domain, dict(info.metadata)) == ("NOT_FOUND", DOMAIN, {"policy_version": "abc"})


@pytest.mark.parametrize(("fault", "has_retry"), [(OutboxFull(), True), (NotFound(retry_after_s=1.0), False)])
def test_retry_info_only_when_a_retry_may_help(fault: Fault, has_retry: bool) -> None:
    kinds = [detail.type_url.rpartition(".")[2] for detail in to_status(fault).details]
    assert ("RetryInfo" in kinds) is has_retry


@given(
    kind=st.sampled_from(list(Kind)),
    reason=st.from_regex(r"[A-Z][A-Z_]{1,20}[A-Z]", fullmatch=True),
    retryable=st.booleans(),
    violations=st.lists(st.builds(FieldViolation, *[st.text(max_size=20)] * 3), max_size=4),
    wait=st.none() | st.integers(0, 10_000),
)
def test_what_a_server_says_is_what_a_client_reads(
    kind: Kind, reason: str, retryable: bool, violations: list[FieldViolation], wait: int | None
) -> None:
    said = RemoteFault(
        "a message",
        kind=kind,
        reason=reason,
        retryable=retryable,
        violations=violations,
        metadata={"k": "v"},
        retry_after_s=None if wait is None or not retryable else wait / 1000,
    )
    read = fault_from_call(_call(said))
    for name in ("kind", "reason", "retryable", "violations", "metadata", "message", "retry_after_s"):
        assert getattr(read, name) == getattr(said, name), name


def test_a_hundred_violations_fit_into_the_trailers() -> None:
    many = [FieldViolation("items[0].item_id" * 20, "uint64.gt" * 40, "d" * 500) for _ in range(100)]
    assert len(to_status(InvalidRequest(violations=many)).SerializeToString()) < 16_384


def test_a_plain_status_is_read_by_its_code() -> None:
    error = grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, details="no route")
    fault = fault_from_call(error)
    assert (fault.kind, fault.reason, fault.retryable) == (Kind.UNAVAILABLE, "UNAVAILABLE", True)
    assert (fault.answered, fault.retry_after_s) == (False, 1.0)


@pytest.mark.parametrize("fault", [NotReady(), BreakerOpen(), LogUnavailable(), AppendTimeout(), DependencyDown()])
def test_every_unavailable_of_ours_says_when_to_come_back(fault: Fault) -> None:
    read = fault_from_call(_call(fault))
    assert (read.kind, read.retryable, read.retry_after_s) == (Kind.UNAVAILABLE, True, 1.0)
    assert read.answered


def test_what_a_client_could_not_reach_says_when_to_come_back_to_its_own_caller_too() -> None:
    unreached = fault_from_call(grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, details="Connection refused"))
    assert fault_from_call(_call(unreached)).retry_after_s == 1.0


def test_a_peer_that_stops_in_the_middle_is_unavailable() -> None:
    fault = fault_from_call(grpc.aio.AioRpcError(grpc.StatusCode.CANCELLED, details="CANCELLED"))
    assert (fault.kind, fault.reason, fault.answered) == (Kind.UNAVAILABLE, "CANCELLED", False)


def test_foreign_details_do_not_hide_the_code() -> None:
    trailers = grpc.aio.Metadata(("grpc-status-details-bin", b"\xff\xff\xff"))
    error = grpc.aio.AioRpcError(grpc.StatusCode.NOT_FOUND, trailing_metadata=trailers, details="x")
    assert fault_from_call(error).reason == "NOT_FOUND"


@pytest.mark.parametrize("code", [code for code in grpc.StatusCode if code is not grpc.StatusCode.OK])
def test_every_code_of_grpc_has_a_kind(code: grpc.StatusCode) -> None:
    assert fault_from_call(grpc.aio.AioRpcError(code)).kind in Kind
