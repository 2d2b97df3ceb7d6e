"""Faults to gRPC statuses and back: one table of kinds, and `google.rpc` details on the wire."""

from __future__ import annotations

from typing import Any, NoReturn

import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2  # type: ignore[import-untyped]
from grpc_status import rpc_status

from loopwright.faults import Fault, FieldViolation, Kind, RemoteFault

DOMAIN = "loopwright"
_DETAILS_KEY = "grpc-status-details-bin"
_MAX_VIOLATIONS = 32  # details travel in trailers, which peers cap at 8 KiB
_MAX_TEXT = 160
_RETRYABLE = "retryable"
_UNREACHED_RETRY_AFTER_S = 1.0  # a peer that comes back is found within a second, see `options`

_CODES: dict[Kind, grpc.StatusCode] = {
    Kind.INVALID_ARGUMENT: grpc.StatusCode.INVALID_ARGUMENT,
    Kind.NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    Kind.FAILED_PRECONDITION: grpc.StatusCode.FAILED_PRECONDITION,
    Kind.ABORTED: grpc.StatusCode.ABORTED,
    Kind.UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
    Kind.DEADLINE: grpc.StatusCode.DEADLINE_EXCEEDED,
    Kind.RESOURCE_EXHAUSTED: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Kind.UNAUTHENTICATED: grpc.StatusCode.UNAUTHENTICATED,
    Kind.PERMISSION_DENIED: grpc.StatusCode.PERMISSION_DENIED,
    Kind.INTERNAL: grpc.StatusCode.INTERNAL,
    Kind.DATA_LOSS: grpc.StatusCode.DATA_LOSS,
    Kind.ALREADY_EXISTS: grpc.StatusCode.ALREADY_EXISTS,
}
# Codes that no fault of ours has, but that gRPC itself or a foreign peer may answer.
_KINDS = {code: kind for kind, code in _CODES.items()} | {
    grpc.StatusCode.CANCELLED: Kind.UNAVAILABLE,  # a peer that stops; a call that we cancel ends as CancelledError
    grpc.StatusCode.OUT_OF_RANGE: Kind.INVALID_ARGUMENT,
    grpc.StatusCode.UNIMPLEMENTED: Kind.FAILED_PRECONDITION,
    grpc.StatusCode.UNKNOWN: Kind.INTERNAL,
}


def grpc_code(kind: Kind) -> grpc.StatusCode:
    """Returns the one gRPC status code of a kind."""
    return _CODES[kind]


def to_status(fault: Fault) -> status_pb2.Status:
    """Returns a fault as `google.rpc.Status`: ErrorInfo, BadRequest for violations, RetryInfo for a wait."""
    metadata = dict(fault.metadata) | ({_RETRYABLE: "true"} if fault.retryable else {})
    status = status_pb2.Status(code=_CODES[fault.kind].value[0], message=fault.message)
    status.details.add().Pack(error_details_pb2.ErrorInfo(reason=fault.reason, domain=DOMAIN, metadata=metadata))
    if fault.violations:
        bad = error_details_pb2.BadRequest()
        for violation in fault.violations[:_MAX_VIOLATIONS]:
            bad.field_violations.add(
                field=violation.field[:_MAX_TEXT],
                reason=violation.rule[:_MAX_TEXT],
                description=violation.description[:_MAX_TEXT],
            )
        status.details.add().Pack(bad)
    if fault.retryable and fault.retry_after_s is not None:
        delay = Duration()
        delay.FromNanoseconds(round(fault.retry_after_s * 1e9))
        status.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=delay))
    return status


async def abort_with(context: grpc.aio.ServicerContext[Any, Any], fault: Fault) -> NoReturn:
    """Ends the call with the fault's rich status.

    Raises:
        grpc.aio.AbortError: always; that is how gRPC ends a call.
    """
    await context.abort_with_status(rpc_status.to_status(to_status(fault)))


def fault_from_call(error: grpc.aio.AioRpcError) -> RemoteFault:
    """Returns a failed call as a fault; without rich details the reason is the status code's name.

    No details of ours and UNAVAILABLE means that no peer answered: a refused or lost connection.
    """
    code = error.code()
    kind = _KINDS[code]
    message = error.details() or code.name
    status = _details(error)
    if status is None:
        unreached = kind is Kind.UNAVAILABLE
        return RemoteFault(
            message,
            kind=kind,
            reason=code.name,
            retryable=unreached,
            retry_after_s=_UNREACHED_RETRY_AFTER_S if unreached else None,
            answered=False,
        )
    reason, metadata = code.name, dict[str, str]()
    wait: float | None = None
    violations: list[FieldViolation] = []
    info, bad, retry = (
        error_details_pb2.ErrorInfo(),
        error_details_pb2.BadRequest(),
        error_details_pb2.RetryInfo(),
    )
    for detail in status.details:
        if detail.Unpack(info):
            reason, metadata = info.reason, dict(info.metadata)
        elif detail.Unpack(bad):
            violations = [FieldViolation(v.field, v.reason, v.description) for v in bad.field_violations]
        elif detail.Unpack(retry):
            wait = retry.retry_delay.ToNanoseconds() / 1e9
    retryable = metadata.pop(_RETRYABLE, "") == "true" or wait is not None
    return RemoteFault(
        message,
        kind=kind,
        reason=reason,
        retryable=retryable,
        violations=violations,
        metadata=metadata,
        retry_after_s=wait,
    )


def _details(error: grpc.aio.AioRpcError) -> status_pb2.Status | None:
    for key, value in error.trailing_metadata() or ():
        if key == _DETAILS_KEY and isinstance(value, bytes):
            try:
                return status_pb2.Status.FromString(value)
            except DecodeError:  # a foreign proxy's bytes: the plain status code still stands
                return None
    return None
