"""`Health`: gRPC's health service, whose watches end with the drain; `serving` mounts it and sets the states.

A watch never ends by itself: left open, it would hold up the server's stop for the whole grace.
"""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

_Request = health_pb2.HealthCheckRequest
_Response = health_pb2.HealthCheckResponse
_ListResponse: Any = health_pb2.HealthListResponse  # type: ignore[attr-defined]  # the stubs are older than the method


class Health(health_pb2_grpc.HealthServicer):
    """States by service name, "" for the whole server; draining turns all to NOT_SERVING for good."""

    def __init__(self) -> None:
        self._states: dict[str, Any] = {}
        self._changed = asyncio.Event()
        self._draining = False

    def set(self, service: str, ready: bool) -> None:
        """Sets the state of a service; without effect once draining."""
        if not self._draining:
            self._states[service] = _Response.SERVING if ready else _Response.NOT_SERVING
            self._tell()

    def drain(self) -> None:
        """Turns every service to NOT_SERVING and ends the watches."""
        self._draining = True
        self._states = dict.fromkeys(self._states, _Response.NOT_SERVING)
        self._tell()

    async def Check(self, request: _Request, context: Any) -> _Response:
        """Answers with the state of a service; an unknown one is NOT_FOUND."""
        state = self._states.get(request.service)
        if state is None:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such service here")
        return _Response(status=state)

    async def List(self, request: Any, context: Any) -> Any:
        """Answers with the states of all services."""
        states = {service: _Response(status=state) for service, state in self._states.items()}
        return _ListResponse(statuses=states)

    async def Watch(self, request: _Request, context: Any) -> None:
        """Streams the states of a service, until the caller leaves or the server drains."""
        told = None
        while True:
            changed, draining = self._changed, self._draining
            state = self._states.get(request.service, _Response.SERVICE_UNKNOWN)
            if state != told:
                await context.write(_Response(status=state))
                told = state
            if draining:
                return
            await changed.wait()

    def _tell(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
