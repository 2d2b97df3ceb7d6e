"""Sends batches over one bidirectional stream and counts what was acknowledged; a few batches are under way at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeVar

from loopwright.cli.importing.rows import Reject

Row = TypeVar("Row")
IN_FLIGHT = 4
"""Batches sent and not yet acknowledged: enough to keep both ends busy, few enough to repeat after a crash."""


class Acknowledged(Protocol):
    """What every batch answer carries."""

    batch: int
    accepted: int
    rejections: Any


async def send_batches(
    call: Callable[[AsyncIterator[Any]], AsyncIterator[Acknowledged]],
    rows: Sequence[Row],
    message: Callable[[int, Sequence[Row]], Any],
    *,
    batch_rows: int,
    acknowledged: Callable[[int], Awaitable[None]],
    rejected: Callable[[Row, str, str], Reject],
    rejects: list[Reject],
) -> int:
    """Send all rows in order and return how many were accepted.

    Args:
        call: The stub's stream method with its timeout bound.
        rows: What to send.
        message: Builds the request of a batch number and its rows.
        batch_rows: Rows a batch.
        acknowledged: Told how many rows from the start are durable, after every answer.
        rejected: Builds the reject of a row, from field and reason.
        rejects: Takes the rows the service refused.

    Raises:
        RemoteFault: The service refused a batch whole, or went away.
    """
    window = asyncio.Semaphore(IN_FLIGHT)
    accepted = 0

    async def requests() -> AsyncIterator[Any]:
        for start in range(0, len(rows), batch_rows):
            await window.acquire()
            yield message(start // batch_rows + 1, rows[start : start + batch_rows])

    async for answer in call(requests()):
        start = (answer.batch - 1) * batch_rows
        accepted += answer.accepted
        for refusal in answer.rejections:
            reason = f"{refusal.reason}: {refusal.description}"
            rejects.append(rejected(rows[start + refusal.index], refusal.field, reason))
        await acknowledged(min(len(rows), start + batch_rows))
        window.release()
    return accepted
