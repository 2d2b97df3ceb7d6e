"""A small service of all four call kinds, with validation rules, built from descriptors; started on a free port."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import SimpleNamespace
from typing import Any

import grpc
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import NoOpTracerProvider

from loopwright.api.buf.validate import validate_pb2
from loopwright.rpc import Mount, RpcSettings, serving
from loopwright.telemetry.tracing import use_provider

_PACKAGE = "loopwright.testing.echo.v1"
SERVICE = f"{_PACKAGE}.EchoService"


def _build() -> tuple[Any, Any]:
    file = descriptor_pb2.FileDescriptorProto(
        name="loopwright/testing/echo/v1/echo.proto",
        package=_PACKAGE,
        syntax="proto3",
        dependency=[validate_pb2.DESCRIPTOR.name],
    )
    item = file.message_type.add(name="Item")
    item_id = item.field.add(name="item_id", number=1, type=4, label=1)
    item_id.options.Extensions[validate_pb2.field].uint64.gt = 0
    request = file.message_type.add(name="EchoRequest")
    text = request.field.add(name="text", number=1, type=9, label=1)
    text.options.Extensions[validate_pb2.field].string.min_len = 1
    request.field.add(name="items", number=2, type=11, label=3, type_name=f".{_PACKAGE}.Item")
    response = file.message_type.add(name="EchoResponse")
    response.field.add(name="text", number=1, type=9, label=1)
    service = file.service.add(name="EchoService")
    for name, client, server in (
        ("Say", False, False),
        ("Count", False, True),
        ("Collect", True, False),
        ("Chat", True, True),
    ):
        service.method.add(
            name=name,
            input_type=f".{_PACKAGE}.EchoRequest",
            output_type=f".{_PACKAGE}.EchoResponse",
            client_streaming=client,
            server_streaming=server,
        )
    pool = descriptor_pool.Default()
    try:
        found = pool.FindFileByName(file.name)
    except KeyError:
        found = pool.Add(file) or pool.FindFileByName(file.name)
    messages = found.message_types_by_name
    return (
        message_factory.GetMessageClass(messages["EchoRequest"]),
        message_factory.GetMessageClass(messages["EchoResponse"]),
    )


EchoRequest, EchoResponse = _build()
Say = Callable[[Any, Any], Awaitable[Any]]


class EchoServicer:
    """Answers what it is told; `say` replaces what the unary method does."""

    def __init__(self, say: Say | None = None) -> None:
        self.say = say
        self.calls = 0
        self.closed = 0

    async def Say(self, request: Any, context: Any) -> Any:
        self.calls += 1
        if self.say is not None:
            return await self.say(request, context)
        return EchoResponse(text=request.text)

    async def Count(self, request: Any, context: Any) -> AsyncIterator[Any]:
        self.calls += 1
        try:
            if self.say is not None:
                yield EchoResponse(text="first")
                yield await self.say(request, context)
            else:
                for letter in request.text:
                    yield EchoResponse(text=letter)
        finally:
            self.closed += 1

    async def Collect(self, requests: AsyncIterator[Any], context: Any) -> Any:
        self.calls += 1
        return EchoResponse(text="".join([request.text async for request in requests]))

    async def Chat(self, requests: AsyncIterator[Any], context: Any) -> AsyncIterator[Any]:
        self.calls += 1
        async for request in requests:
            yield EchoResponse(text=request.text)


def add_to_server(servicer: Any, server: Any) -> None:
    """Does what a generated `add_EchoServiceServicer_to_server` does."""
    codec = {"request_deserializer": EchoRequest.FromString, "response_serializer": EchoResponse.SerializeToString}
    handlers = {
        "Say": grpc.unary_unary_rpc_method_handler(servicer.Say, **codec),
        "Count": grpc.unary_stream_rpc_method_handler(servicer.Count, **codec),
        "Collect": grpc.stream_unary_rpc_method_handler(servicer.Collect, **codec),
        "Chat": grpc.stream_stream_rpc_method_handler(servicer.Chat, **codec),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    server.add_registered_method_handlers(SERVICE, handlers)


class EchoStub:
    """Does what a generated stub does."""

    def __init__(self, channel: Any) -> None:
        codec = {"request_serializer": EchoRequest.SerializeToString, "response_deserializer": EchoResponse.FromString}
        self.Say = channel.unary_unary(f"/{SERVICE}/Say", **codec, _registered_method=True)
        self.Count = channel.unary_stream(f"/{SERVICE}/Count", **codec, _registered_method=True)
        self.Collect = channel.stream_unary(f"/{SERVICE}/Collect", **codec, _registered_method=True)
        self.Chat = channel.stream_stream(f"/{SERVICE}/Chat", **codec, _registered_method=True)


async def stream_of(*texts: str) -> AsyncIterator[Any]:
    for text in texts:
        yield EchoRequest(text=text)


@pytest.fixture
def echo() -> SimpleNamespace:
    """The service's parts, for tests to compose."""

    @asynccontextmanager
    async def served(say: Say | None = None, **options: Any) -> AsyncIterator[Any]:
        servicer = EchoServicer(say)
        settings = options.pop("settings", RpcSettings(grace_s=0.5))
        async with serving([Mount(add_to_server, servicer)], settings, **options) as state:
            yield SimpleNamespace(servicer=servicer, state=state, target=state.target)

    start: Callable[..., AbstractAsyncContextManager[Any]] = served
    return SimpleNamespace(
        Request=EchoRequest,
        Response=EchoResponse,
        Servicer=EchoServicer,
        Stub=EchoStub,
        SERVICE=SERVICE,
        add=add_to_server,
        served=start,
        stream_of=stream_of,
        say_path=f"/{SERVICE}/Say",
    )


@pytest.fixture
def spans() -> Any:
    """Collects the spans that the test's code finishes."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    use_provider(provider)
    yield exporter
    use_provider(NoOpTracerProvider())
    provider.shutdown()
