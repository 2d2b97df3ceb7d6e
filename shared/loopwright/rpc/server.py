"""`serving`: a gRPC server with health, reflection and the interceptor chain, drained at the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from loopwright.rpc.health import Health
from loopwright.rpc.in_flight import InFlightLimit
from loopwright.rpc.interceptors.chain import interceptors
from loopwright.rpc.interceptors.identity import AccessMatrix
from loopwright.rpc.options import server_credentials, server_options
from loopwright.rpc.settings import RpcSettings
from loopwright.rpc.validation import request_types, warm
from loopwright.telemetry import METER, Meter, get_logger

_LOG = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Mount:
    """A servicer and the generated function that adds it: `Mount(add_FooServicer_to_server, servicer)`."""

    add: Callable[[Any, Any], None]
    servicer: object


class Serving:
    """A running server, as its process sees it.

    Attributes:
        host: bound address.
        port: bound TCP port.
        services: full names of the mounted services.
    """

    def __init__(self, host: str, port: int, services: Sequence[str], health: Health) -> None:
        self.host = host
        self.port = port
        self.services = tuple(services)
        self._health = health

    @property
    def target(self) -> str:
        """What `open_channel` takes: `host:port`."""
        return f"{self.host}:{self.port}"

    async def set_ready(self, ready: bool) -> None:
        """Sets the health of the server and of each of its services; without effect once draining."""
        for service in ("", *self.services):
            self._health.set(service, ready)

    async def drain(self) -> None:
        """Turns health to NOT_SERVING for good and ends its watches; running calls go on."""
        self._health.drain()


@asynccontextmanager
async def serving(
    mounts: Sequence[Mount],
    settings: RpcSettings,
    *,
    ready: bool = True,
    access: AccessMatrix | None = None,
    meter: Meter = METER,
) -> AsyncIterator[Serving]:
    """Serves while the block runs; leaving it drains: NOT_SERVING, `drain_delay_s`, stop within `grace_s`.

    Args:
        mounts: the servicers.
        settings: address, limits, credentials.
        ready: health at the start; False for a process that has still to load, which calls `set_ready` later.
        access: who may call what over TLS; None lets every verified peer call.
        meter: where the durations go.

    Raises:
        RuntimeError: the port is taken.
        protovalidate.CompilationError: a proto's rules are wrong.
    """
    server = grpc.aio.server(
        interceptors=interceptors(access, allow_insecure=settings.allow_insecure, limit=_limit(settings), meter=meter),
        options=server_options(settings),
        maximum_concurrent_rpcs=settings.max_concurrent_rpcs,
    )
    health = Health()
    services = _mount(server, mounts)
    health_pb2_grpc.add_HealthServicer_to_server(health, server)
    names = [*services, health_pb2.DESCRIPTOR.services_by_name["Health"].full_name, reflection.SERVICE_NAME]
    reflection.enable_server_reflection(names, server)
    credentials = server_credentials(settings)
    address = f"{settings.host}:{settings.port}"
    port = server.add_insecure_port(address) if credentials is None else server.add_secure_port(address, credentials)
    state = Serving(settings.host, port, services, health)
    await state.set_ready(ready)
    await server.start()
    _LOG.info("serving", extra={"address": state.target, "services": list(services)})
    try:
        yield state
    finally:
        await state.drain()
        await asyncio.sleep(settings.drain_delay_s)
        await server.stop(settings.grace_s)
        _LOG.info("stopped serving", extra={"address": state.target})


def _limit(settings: RpcSettings) -> InFlightLimit | None:
    if not settings.max_in_flight:
        return None
    return InFlightLimit(settings.max_in_flight, settings.start_in_flight, settings.late_share)


def _mount(server: grpc.aio.Server, mounts: Sequence[Mount]) -> list[str]:
    recorder = _Recorder(server)
    for mount in mounts:
        mount.add(mount.servicer, recorder)
    for service in recorder.services:
        warm(request_types(service))
    return recorder.services


class _Recorder:
    """Stands in for the server in a generated `add_..._to_server`, which alone knows its service's name."""

    def __init__(self, server: grpc.aio.Server) -> None:
        self._server = server
        self.services: list[str] = []

    def add_generic_rpc_handlers(self, handlers: Sequence[grpc.GenericRpcHandler]) -> None:
        self._server.add_generic_rpc_handlers(handlers)
        self.services += [h.service_name() for h in handlers if isinstance(h, grpc.ServiceRpcHandler)]

    def add_registered_method_handlers(
        self, service: str, handlers: Mapping[str, grpc.RpcMethodHandler[Any, Any]]
    ) -> None:
        self._server.add_registered_method_handlers(service, handlers)
