from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import grpc
import pytest

from loopwright.rpc.interceptors.layer import Layer, Method, coroutine_of


class Plain(Layer):
    async def handle(self, method: Method, proceed: Any, request: Any, context: Any) -> Any:
        return await proceed(request, context)


async def _answer(request: Any, context: Any) -> Any:
    return request


async def test_a_handler_is_wrapped_once_and_again_only_when_it_changes() -> None:
    layer = Plain()
    handlers = [grpc.unary_unary_rpc_method_handler(_answer) for _ in range(2)]
    details: Any = SimpleNamespace(method="/p.S/M")

    async def give(index: int) -> Any:
        async def continuation(_: Any) -> Any:
            return handlers[index]

        return await layer.intercept_service(continuation, details)

    first = await give(0)
    assert await give(0) is first
    assert await give(1) is not first


async def test_an_unknown_method_stays_unknown() -> None:
    async def continuation(_: Any) -> Any:
        return None

    details: Any = SimpleNamespace(method="/p.S/M")
    assert await Plain().intercept_service(continuation, details) is None


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
