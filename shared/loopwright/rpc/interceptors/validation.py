"""Innermost layer: undecodable bytes and broken field rules are refused, both as INVALID_ARGUMENT."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message

from loopwright.faults import InvalidRequest, MalformedMessage
from loopwright.rpc.interceptors.layer import Behaviour, Context, Layer, Method
from loopwright.rpc.validation import violations


@dataclass(frozen=True, slots=True)
class Undecodable:
    """Stands for a request whose bytes did not decode.

    A decoder that raises makes gRPC answer UNKNOWN with the exception's text, past every interceptor; so it
    returns this instead and the layer refuses it in the usual way.
    """

    error: Exception


_CHECKED = (Message, Undecodable)


class ValidationLayer(Layer):
    """Checks every request message against the rules in its proto; infrastructure services have none."""

    def deserializer(self, method: Method, inner: Any) -> Any:
        """Returns a decoder that never raises."""
        return guarded(inner) if inner is not None else None

    def handle(self, method: Method, proceed: Behaviour, request: Any, context: Context) -> Awaitable[Any]:
        """Serves the call when its message is valid; messages of a stream are checked as they come."""
        if isinstance(request, _CHECKED):
            check(request, rules=not method.infrastructure)
            return proceed(request, context)
        if hasattr(request, "__aiter__"):
            return proceed(_checked(request, rules=not method.infrastructure), context)
        return proceed(request, context)


def guarded(decode: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    """Returns `decode` with its failure as an `Undecodable` value."""

    def attempt(data: bytes) -> Any:
        try:
            return decode(data)
        except Exception as error:  # whatever a decoder raises on foreign bytes
            return Undecodable(error)

    return attempt


def check(message: Any, *, rules: bool = True) -> None:
    """Refuses what did not decode and what breaks its rules.

    Raises:
        MalformedMessage: the bytes did not decode.
        InvalidRequest: with one violation per broken rule.
    """
    if isinstance(message, Undecodable):
        raise MalformedMessage() from message.error
    if rules and isinstance(message, Message) and (found := violations(message)):
        raise InvalidRequest(violations=found)


async def _checked(requests: AsyncIterator[Any], *, rules: bool) -> AsyncIterator[Any]:
    async for message in requests:
        check(message, rules=rules)
        yield message
