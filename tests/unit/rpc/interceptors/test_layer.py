from __future__ import annotations

import asyncio
import inspect
from types import SimpleNamespace
from typing import Any

import grpc
import pytest

from loopwright.rpc.interceptors.layer import Layer, Method, around, coroutine_of


class Named(Layer):
    """Notes its name on the way in and on the way out, and has a decoder of its own."""

    def __init__(self, name: str, told: list[str]) -> None:
        self._name, self._told = name, told

    async def handle(self, method: Method, proceed: Any, request: Any, context: Any) -> Any:
        self._told.append(f"{self._name} {method.name}")
        answer = await proceed(request, context)
        self._told.append(self._name)
        return answer

    def deserializer(self, method: Method, inner: Any) -> Any:
        return lambda data: [self._name, inner(data)]


async def _answer(request: Any, context: Any) -> Any:
    return request


async def test_the_first_layer_stands_outermost_for_calls_and_for_decoding() -> None:
    told: list[str] = []
    layers = [Named("outer", told), Named("inner", told)]
    handler: Any = around(layers, "/p.S/M", grpc.unary_unary_rpc_method_handler(_answer, bytes.decode, str.encode))
    assert await handler.unary_unary("x", None) == "x"
    assert told == ["outer p.S/M", "inner p.S/M", "inner", "outer"]
    assert handler.request_deserializer(b"x") == ["outer", ["inner", "x"]]
    assert handler.response_serializer("x") == b"x"


@pytest.mark.parametrize("asked", [False, True])
@pytest.mark.parametrize("answered", [False, True])
def test_a_handler_keeps_its_kind_and_is_a_coroutine_function(asked: bool, answered: bool) -> None:
    kinds = ["unary_unary", "unary_stream", "stream_unary", "stream_stream"]
    kind = kinds[2 * asked + answered]
    wrapped = around([Named("x", [])], "/p.S/M", getattr(grpc, f"{kind}_rpc_method_handler")(_answer))
    assert (wrapped.request_streaming, wrapped.response_streaming) == (asked, answered)
    assert inspect.iscoroutinefunction(getattr(wrapped, kind))  # gRPC would put any other function on a thread


def test_a_blocking_handler_is_refused() -> None:
    handler = grpc.unary_unary_rpc_method_handler(lambda request, context: request)
    with pytest.raises(TypeError, match="async def"):
        coroutine_of(Method.parse("/p.S/M"), handler)


@pytest.mark.parametrize(
    ("path", "infrastructure"),
    [
        ("/grpc.health.v1.Health/Check", True),
        ("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", True),
        ("/grpc.other.S/M", False),
        ("/p.S/M", False),
    ],
)
def test_grpcs_own_services_are_infrastructure(path: str, infrastructure: bool) -> None:
    assert Method.parse(path) == Method(path[1:], infrastructure)


async def test_a_stream_that_nobody_reads_any_more_is_closed_in_its_own_task() -> None:
    closed: list[Any] = []

    async def answers(request: Any, context: Any) -> Any:
        try:
            while True:
                yield request
        finally:
            closed.append(asyncio.current_task())

    async def write(message: Any) -> None:
        raise asyncio.CancelledError

    context: Any = SimpleNamespace(write=write)
    serve = coroutine_of(Method.parse("/p.S/M"), grpc.unary_stream_rpc_method_handler(answers))
    with pytest.raises(asyncio.CancelledError):
        await serve("x", context)
    assert closed == [asyncio.current_task()]
