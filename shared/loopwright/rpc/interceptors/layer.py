"""`Layer`: what every server interceptor is here; wraps each kind of handler around one `handle` method."""

from __future__ import annotations

import inspect
from abc import abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, TypeAlias

import grpc

Context = grpc.aio.ServicerContext[Any, Any]
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Behaviour = Callable[[Any, Context], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Method:
    """A method of a service, `name` fully qualified as `package.Service/Method`."""

    name: str
    infrastructure: bool

    @classmethod
    def parse(cls, path: str) -> Method:
        """Returns the method of a path `/package.Service/Method`; gRPC's own services are infrastructure."""
        name = path.removeprefix("/")
        return cls(name, name.startswith(("grpc.health.", "grpc.reflection.")))


class Layer(grpc.aio.ServerInterceptor):
    """One layer around every handler, unary or streaming.

    gRPC asks interceptors anew at every call; a layer wraps a method's handler once and keeps the result.
    Streaming answers are written by the innermost layer (`context.write`), so `handle` is one coroutine for
    all four kinds and clean-up always runs in the call's own task.
    """

    def __init__(self) -> None:
        self._wrapped: dict[str, tuple[Handler, Handler]] = {}

    @abstractmethod
    async def handle(self, method: Method, proceed: Behaviour, request: Any, context: Context) -> Any:
        """Serves one call.

        Args:
            method: what is called.
            proceed: the next layer, or the handler.
            request: the message, or an async iterator of messages when the client streams.
            context: gRPC's context of the call.

        Returns:
            The answer, None when the server streams.
        """

    def deserializer(self, method: Method, inner: Any) -> Any:
        """Returns the function that decodes request bytes; the handler's own unless a layer replaces it."""
        return inner

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        """Returns the wrapped handler; called by gRPC once per call."""
        inner = await continuation(handler_call_details)
        if inner is None:  # unknown method: gRPC answers UNIMPLEMENTED
            return None
        path = handler_call_details.method
        known = self._wrapped.get(path)
        if known is None or known[0] is not inner:
            known = self._wrapped[path] = (inner, self._wrap(Method.parse(path), inner))
        return known[1]

    def _wrap(self, method: Method, inner: Handler) -> Handler:
        proceed = coroutine_of(method, inner)

        async def serve(request: Any, context: Context) -> Any:
            return await self.handle(method, proceed, request, context)

        kinds = {
            (False, False): grpc.unary_unary_rpc_method_handler,
            (False, True): grpc.unary_stream_rpc_method_handler,
            (True, False): grpc.stream_unary_rpc_method_handler,
            (True, True): grpc.stream_stream_rpc_method_handler,
        }
        make: Any = kinds[bool(inner.request_streaming), bool(inner.response_streaming)]
        wrapped: Handler = make(
            serve,
            request_deserializer=self.deserializer(method, inner.request_deserializer),
            response_serializer=inner.response_serializer,
        )
        return wrapped


def coroutine_of(method: Method, handler: Handler) -> Behaviour:
    """Returns a handler's function as one coroutine function; an async generator becomes one that writes.

    Raises:
        TypeError: the handler is not async; it would block the loop or need threads of its own.
    """
    function: Any = handler.unary_unary or handler.unary_stream or handler.stream_unary or handler.stream_stream
    if inspect.iscoroutinefunction(function):
        coroutine: Behaviour = function
        return coroutine
    if not inspect.isasyncgenfunction(function):
        raise TypeError(f"{method.name}: handlers are `async def`, got {function!r}")

    async def write_all(request: Any, context: Context) -> None:
        async with aclosing(function(request, context)) as answers:
            async for answer in answers:
                await context.write(answer)

    return write_all
