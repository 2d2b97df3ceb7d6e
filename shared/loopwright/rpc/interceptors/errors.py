"""Fourth layer: turns faults into rich statuses, and everything unforeseen into INTERNAL without details."""

from __future__ import annotations

from typing import Any

import grpc

from loopwright.faults import DeadlineExceeded, Fault, Internal
from loopwright.rpc.deadline import current_deadline
from loopwright.rpc.interceptors.layer import Behaviour, Context, Layer, Method
from loopwright.rpc.status import abort_with, fault_from_call
from loopwright.telemetry import get_logger

_LOG = get_logger(__name__)


class ErrorLayer(Layer):
    """The only place where an exception becomes a status. Aborts and cancellation pass through."""

    async def handle(self, method: Method, proceed: Behaviour, request: Any, context: Context) -> Any:
        """Serves the call and translates what it raises."""
        try:
            return await proceed(request, context)
        except grpc.aio.AbortError:
            raise
        except Exception as error:
            if context.done():  # the caller is gone: gRPC complains of that, and nobody waits for a status
                raise
            fault = fault_of(error)
            if isinstance(fault, Internal):
                # The trace is kept here; the caller learns only that it was us.
                _LOG.exception("unforeseen exception in a handler", extra={"rpc_method": method.name})
            await abort_with(context, fault)


def fault_of(error: Exception) -> Fault:
    """Returns the fault that an exception means to the caller.

    A task group's exceptions count as its first fault when all of them are faults; a time-out counts as the
    call's deadline when that has passed; all else is `Internal`.
    """
    if isinstance(error, Fault):
        return error
    if isinstance(error, grpc.aio.AioRpcError):
        return fault_from_call(error)
    if isinstance(error, ExceptionGroup):
        faults = [fault_of(inner) for inner in error.exceptions]
        unforeseen = next((fault for fault in faults if type(fault) is Internal), None)
        return unforeseen or faults[0]
    deadline = current_deadline()
    if isinstance(error, TimeoutError) and deadline is not None and deadline.expired:
        return DeadlineExceeded()
    return Internal()
