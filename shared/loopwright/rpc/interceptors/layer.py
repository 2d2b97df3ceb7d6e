"""`Layer`: what every server interceptor is here; `around` puts them around the handlers that `serving` mounts."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
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
        return cls(name, is_infrastructure(name))


def is_infrastructure(name: str) -> bool:
    """Tells whether a service or method, by its full name, is one of gRPC's own."""
    return name.startswith(("grpc.health.", "grpc.reflection."))


class Layer(ABC):
    """One layer around every handler, unary or streaming.

    `around` puts the layers of a server around a handler once, when it is mounted: gRPC's own interceptors are asked
    anew at every call. Streaming answers are written by the innermost layer (`context.write`), so `handle` is one
    coroutine for all four kinds and clean-up always runs in the call's own task.
    """

    @abstractmethod
    def handle(self, method: Method, proceed: Behaviour, request: Any, context: Context) -> Awaitable[Any]:
        """Serves one call; a coroutine, or a function that passes the next layer's on.

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


def around(layers: Sequence[Layer], path: str, handler: Handler) -> Handler:
    """Returns a handler with the layers around it, the first outermost.

    Raises:
        TypeError: the handler is not async.
    """
    method = Method.parse(path)
    proceed, decode = coroutine_of(method, handler), handler.request_deserializer
    for layer in reversed(layers):
        proceed, decode = partial(layer.handle, method, proceed), layer.deserializer(method, decode)

    async def serve(request: Any, context: Context) -> Any:  # gRPC asks at every call whether it is a coroutine's
        return await proceed(request, context)

    kinds = {
        (False, False): grpc.unary_unary_rpc_method_handler,
        (False, True): grpc.unary_stream_rpc_method_handler,
        (True, False): grpc.stream_unary_rpc_method_handler,
        (True, True): grpc.stream_stream_rpc_method_handler,
    }
    make: Any = kinds[bool(handler.request_streaming), bool(handler.response_streaming)]
    wrapped: Handler = make(serve, request_deserializer=decode, response_serializer=handler.response_serializer)
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
