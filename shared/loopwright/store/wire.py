"""`Wire`: one connection to the store that many calls share; commands go out as they come, replies return in order."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, cast

from hiredis import ProtocolError, Reader, ReplyError, pack_command

from loopwright.faults import FeatureStoreDown, FeatureStoreTimeout
from loopwright.rpc import Deadline
from loopwright.store.patience import Patience

Command = tuple[str | bytes | int, ...]
"""A command of the store and its arguments."""

_packed = cast(Callable[[Command], bytes], pack_command)  # whose annotation allows one argument


class Exchange(Patience):
    """Commands that are sent together and answered together, or not at all.

    Attributes:
        packed: The commands' bytes.
        answer: A reply for each command: bytes, int, None or a list of them. Done early when its deadline has passed or
            its caller was cancelled; the replies are then read over when they come.
        wire: What it was sent over, None before.
    """

    __slots__ = ("_replies", "_silent", "_wanted", "answer", "packed", "wire")

    def __init__(
        self,
        commands: Sequence[Command],
        ceiling_s: float,
        deadline: Deadline,
        silent: Callable[[Exchange], None],
        computed: Callable[[], float] = time.thread_time,
    ) -> None:
        """Pack the commands, one at least, and begin to wait; `silent` is told when the ceiling passed in vain."""
        loop = asyncio.get_running_loop()
        self.packed: bytes = b"".join(map(_packed, commands))
        self.answer: asyncio.Future[list[Any]] = loop.create_future()
        self.wire: Wire | None = None
        self._wanted = len(commands)
        self._replies: list[Any] = []
        self._silent = silent
        super().__init__(ceiling_s, deadline, loop, computed)

    def take(self, reply: Any) -> bool:
        """Take the next reply and return whether it was the last one."""
        replies = self._replies
        replies.append(reply)
        if len(replies) < self._wanted:
            return False
        self.rest()
        if not self.answer.done():
            refused = next((reply for reply in replies if isinstance(reply, ReplyError)), None)
            if refused is None:
                self.answer.set_result(replies)
            else:
                self.fail(FeatureStoreDown(), refused)
        return True

    def fail(self, error: Exception, cause: Exception | None = None) -> None:
        """Tell the caller, if one still waits, that there will be no answer."""
        self.rest()
        self._tell_caller(error, cause)

    def late(self) -> None:
        """Tell the caller that its time is over; the replies keep their place in the order."""
        self._tell_caller(FeatureStoreTimeout(), None)

    def over(self) -> None:
        """Tell the owner of the connection that the store is silent."""
        self._silent(self)

    def _tell_caller(self, error: Exception, cause: Exception | None) -> None:
        if not self.answer.done():
            error.__cause__ = cause
            self.answer.set_exception(error)


class Wire(asyncio.Protocol):
    """A connection from its being made to its loss."""

    def __init__(self, gone: Callable[[Wire], None]) -> None:
        """Take who is told, at least once, that nothing more may be sent here."""
        self._gone = gone
        self._reader = Reader()
        self._waiting: deque[Exchange] = deque()
        self._retired = False
        self._transport: asyncio.Transport | None = None
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def usable(self) -> bool:
        """Whether exchanges may be sent."""
        return self._transport is not None and not self._retired and not self._transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self._transport = cast(asyncio.Transport, transport)

    def send(self, exchange: Exchange) -> None:
        """Send the commands behind those that wait already."""
        assert self._transport is not None
        exchange.wire = self
        self._waiting.append(exchange)
        self._transport.write(exchange.packed)

    def data_received(self, data: bytes) -> None:
        """Give replies to those who wait, in order."""
        reader, waiting = self._reader, self._waiting
        reader.feed(data)
        try:
            while (reply := reader.gets()) is not False:
                if not waiting:
                    self.abort()  # nobody asked: from here on answers could go to the wrong ones
                    return
                if waiting[0].take(reply):
                    waiting.popleft().wire = None
        except ProtocolError:
            self.abort()
        if self._retired:
            self._close_if_nobody_waits()

    def retire(self) -> None:
        """Send nothing more; who waits may still be answered, each for as long as its own ceiling lasts."""
        self._retired = True
        self._gone(self)
        self._close_if_nobody_waits()

    def _close_if_nobody_waits(self) -> None:
        if all(exchange.answer.done() for exchange in self._waiting):
            self.abort()

    def abort(self) -> None:
        """Close at once; what was not sent yet is dropped."""
        self._gone(self)
        if self._transport is not None:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail all who wait."""
        self._gone(self)
        self._retired = True
        while self._waiting:
            exchange = self._waiting.popleft()
            exchange.wire = None
            exchange.fail(FeatureStoreDown(), exc)
        if not self.lost.done():
            self.lost.set_result(None)
