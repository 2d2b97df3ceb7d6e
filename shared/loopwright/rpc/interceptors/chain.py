"""The one function that lists the interceptors, in the one order that every server has."""

from __future__ import annotations

from loopwright.rpc.in_flight import InFlightLimit
from loopwright.rpc.interceptors.deadline import DeadlineLayer
from loopwright.rpc.interceptors.errors import ErrorLayer
from loopwright.rpc.interceptors.identity import AccessMatrix, IdentityLayer
from loopwright.rpc.interceptors.layer import Layer
from loopwright.rpc.interceptors.limit import LimitLayer
from loopwright.rpc.interceptors.telemetry import TelemetryLayer
from loopwright.rpc.interceptors.validation import ValidationLayer
from loopwright.telemetry import METER, Meter


def interceptors(
    access: AccessMatrix | None = None,
    *,
    allow_insecure: bool = False,
    tls: bool = True,
    limit: InFlightLimit | None = None,
    meter: Meter = METER,
) -> list[Layer]:
    """Returns the layers outer to inner: telemetry, deadline, identity, limit where there is one, errors, validation.

    Telemetry sees the refusals of all others. A call without a deadline costs nothing more. Strangers learn
    nothing about the validity of their requests and take no place in flight. Errors stand around validation, which
    raises faults.
    """
    return [
        TelemetryLayer(meter),
        DeadlineLayer(meter) if limit is None else DeadlineLayer(meter, expired=limit.expired),
        IdentityLayer(access, allow_insecure=allow_insecure, tls=tls),
        *([] if limit is None else [LimitLayer(limit, meter)]),
        ErrorLayer(),
        ValidationLayer(),
    ]
