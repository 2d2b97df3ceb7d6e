"""The one function that lists the interceptors, in the one order that every server has."""

from __future__ import annotations

from loopwright.rpc.interceptors.deadline import DeadlineLayer
from loopwright.rpc.interceptors.errors import ErrorLayer
from loopwright.rpc.interceptors.identity import AccessMatrix, IdentityLayer
from loopwright.rpc.interceptors.layer import Layer
from loopwright.rpc.interceptors.telemetry import TelemetryLayer
from loopwright.rpc.interceptors.validation import ValidationLayer
from loopwright.telemetry import METER, Meter


def interceptors(
    access: AccessMatrix | None = None, *, allow_insecure: bool = False, meter: Meter = METER
) -> list[Layer]:
    """Returns the layers outer to inner: telemetry, deadline, identity, errors, validation.

    Telemetry sees the refusals of all others. A call without a deadline costs nothing more. Strangers learn
    nothing about the validity of their requests. Errors stand around validation, which raises faults.
    """
    return [
        TelemetryLayer(meter),
        DeadlineLayer(),
        IdentityLayer(access, allow_insecure=allow_insecure),
        ErrorLayer(),
        ValidationLayer(),
    ]
