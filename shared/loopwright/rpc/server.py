"""`serving`: a gRPC server with health, reflection and the interceptor chain, drained at the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2_grpc

from loopwright.rpc.health import Health
from loopwright.rpc.in_flight import InFlightLimit
from loopwright.rpc.interceptors.chain import interceptors
from loopwright.rpc.interceptors.identity import AccessMatrix
from loopwright.rpc.interceptors.layer import Layer, around, is_infrastructure
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
    server = grpc.aio.server(options=server_options(settings), maximum_concurrent_rpcs=settings.max_concurrent_rpcs)
    layers = interceptors(
        access,
        allow_insecure=settings.allow_insecure,
        tls=settings.tls_cert_path is not None,
        limit=_limit(settings),
        meter=meter,
    )
    health = Health()
    recorder = _Recorder(server, layers)
    services = _mount(recorder, mounts)
    _mount(recorder, [Mount(health_pb2_grpc.add_HealthServicer_to_server, health)])
    names = [*services, health_pb2.DESCRIPTOR.services_by_name["Health"].full_name, reflection.SERVICE_NAME]
    add_reflection: Any = reflection_pb2_grpc.add_ServerReflectionServicer_to_server
    add_reflection(reflection.aio.ReflectionServicer(names), recorder)
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


def _mount(recorder: _Recorder, mounts: Sequence[Mount]) -> list[str]:
    before = len(recorder.services)
    for mount in mounts:
        mount.add(mount.servicer, recorder)
    mounted = recorder.services[before:]
    for service in mounted:
        warm(request_types(service))
    return mounted


class _Recorder:
    """Stands in for the server in a generated `add_..._to_server`, which alone knows its service's name and handlers.

    Generated code tells the handlers twice, for servers of two ages; the second way names service and methods.
    """

    def __init__(self, server: grpc.aio.Server, layers: Sequence[Layer]) -> None:
        self._server = server
        self._layers = layers
        self.services: list[str] = []

    def add_generic_rpc_handlers(self, handlers: Sequence[grpc.GenericRpcHandler]) -> None:
        """Wait for the second way."""

    def add_registered_method_handlers(
        self, service: str, handlers: Mapping[str, grpc.RpcMethodHandler[Any, Any]]
    ) -> None:
        self.services.append(service)
        layered = {name: around(self._layers, f"/{service}/{name}", one) for name, one in handlers.items()}
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, layered),))
        # grpc.aio waits for the next call of each registered method anew at every call. Methods of ours are registered,
        # so that they queue apart from the probes of health, which are not.
        if not is_infrastructure(service):
            self._server.add_registered_method_handlers(service, layered)
