"""What the ledger and the feedback need of the log: a durable append; the event log's `DurableWriter` is one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from loopwright.eventlog import Event, Topic, Worth
from loopwright.rpc import Deadline


class Appender(Protocol):
    """Appends that return only when their events are acknowledged by the log or durable in the outbox."""

    async def append(self, topic: Topic, key: bytes, event: Event, *, deadline: Deadline, worth: Worth = ...) -> object:
        """Append one event; when room runs out, records of less worth are refused first.

        Raises:
            Fault: The event is not durable.
        """
        ...

    async def append_many(
        self, topic: Topic, entries: Sequence[tuple[bytes, Event]], *, deadline: Deadline, worth: Worth = ...
    ) -> Sequence[object]:
        """Append events, each under its key; all are durable or it raises.

        Raises:
            Fault: At least one event is not durable.
        """
        ...
