from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from loopwright.cli.importing.rows import Reject
from loopwright.cli.importing.stream import IN_FLIGHT, send_batches
from loopwright.faults import DependencyDown


@dataclass
class Answer:
    batch: int
    accepted: int
    rejections: list[Any] = field(default_factory=list)


@dataclass
class Refusal:
    index: int
    field: str
    reason: str
    description: str


class Service:
    """Answers every batch; may refuse a row, or break after some batches."""

    def __init__(self, *, refuse: int | None = None, breaks_after: int | None = None) -> None:
        self.refuse, self.breaks_after = refuse, breaks_after
        self.batches: list[list[int]] = []
        self.most_open = 0
        self.answered = 0

    async def call(self, requests: AsyncIterator[tuple[int, list[int]]]) -> AsyncIterator[Answer]:
        waiting: list[tuple[int, list[int]]] = []
        async for number, rows in requests:
            self.batches.append(rows)
            waiting.append((number, rows))
            self.most_open = max(self.most_open, len(self.batches) - self.answered)
            if len(waiting) == IN_FLIGHT or len(rows) < 10:
                for pending, sent in waiting:
                    if self.breaks_after == self.answered:
                        raise DependencyDown()
                    refused = [Refusal(0, "item_id", "ID_COLLISION", "taken")] if self.refuse in sent else []
                    self.answered += 1
                    yield Answer(pending, len(sent) - len(refused), refused)
                waiting = []


async def send(service: Service, count: int, told: list[int], rejects: list[Reject]) -> int:
    async def acknowledged(done: int) -> None:
        told.append(done)

    return await send_batches(
        service.call,
        list(range(count)),
        lambda number, rows: (number, list(rows)),
        batch_rows=10,
        acknowledged=acknowledged,
        rejected=lambda row, field, reason: Reject("f", row, field, reason),
        rejects=rejects,
    )


async def test_every_row_is_sent_once_in_order_and_acknowledgements_count_up() -> None:
    service, told, rejects = Service(), [], []
    assert await send(service, 95, told, rejects) == 95
    assert [row for batch in service.batches for row in batch] == list(range(95))
    assert told == [10, 20, 30, 40, 50, 60, 70, 80, 90, 95]
    assert rejects == []


async def test_no_more_batches_are_open_than_the_window_allows() -> None:
    service = Service()
    await send(service, 201, [], [])
    assert service.most_open <= IN_FLIGHT


async def test_a_refused_row_is_a_reject_and_the_others_count() -> None:
    rejects: list[Reject] = []
    assert await send(Service(refuse=10), 35, [], rejects) == 34
    assert rejects == [Reject("f", 10, "item_id", "ID_COLLISION: taken")]


async def test_a_broken_stream_says_so_after_what_was_acknowledged() -> None:
    told: list[int] = []
    with pytest.raises(DependencyDown):
        await send(Service(breaks_after=2), 55, told, [])
    assert told == [10, 20]
