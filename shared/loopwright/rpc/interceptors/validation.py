"""Innermost layer: undecodable bytes and broken field rules are refused, both as INVALID_ARGUMENT."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message

from loopwright.faults import InvalidRequest, MalformedMessage
from loopwright.rpc.interceptors.layer import Behaviour, Context, Layer, Method
from loopwright.rpc.validation import sound, violations


@dataclass(frozen=True, slots=True)
class Undecodable:
    """Stands for a request whose bytes did not decode.

    A decoder that raises makes gRPC answer UNKNOWN with the exception's text, past every interceptor; so it
    returns this instead and the layer refuses it in the usual way.
    """

    error: Exception


@dataclass(frozen=True, slots=True)
class Doubtful:
    """Stands for a request that the decoder could not vouch for: the layer asks the validator, in its turn."""

    message: Message


class ValidationLayer(Layer):
    """Checks every request message against the rules in its proto; infrastructure services have none."""

    def deserializer(self, method: Method, inner: Any) -> Any:
        """Returns a decoder that never raises and tells which messages surely keep their rules."""
        return None if inner is None else guarded(inner, rules=not method.infrastructure)

    def handle(self, method: Method, proceed: Behaviour, request: Any, context: Context) -> Awaitable[Any]:
        """Serves the call when its message is valid; messages of a stream are checked as they come."""
        if hasattr(request, "__aiter__"):
            return proceed(_checked(request), context)
        return proceed(checked(request), context)


def guarded(decode: Callable[[bytes], Any], *, rules: bool = True) -> Callable[[bytes], Any]:
    """Returns `decode` with its failure as an `Undecodable` value, and with what may break `rules` as a `Doubtful`."""

    def attempt(data: bytes) -> Any:
        try:
            message = decode(data)
        except Exception as error:  # whatever a decoder raises on foreign bytes
            return Undecodable(error)
        return message if not rules or sound(message, len(data)) else Doubtful(message)

    return attempt


def checked(request: Any) -> Any:
    """Returns the message of a request that came through `guarded`.

    Raises:
        MalformedMessage: the bytes did not decode.
        InvalidRequest: with one violation per broken rule.
    """
    if isinstance(request, Undecodable):
        raise MalformedMessage() from request.error
    if isinstance(request, Doubtful):
        if found := violations(request.message):
            raise InvalidRequest(violations=found)
        return request.message
    return request


async def _checked(requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for request in requests:
        yield checked(request)
