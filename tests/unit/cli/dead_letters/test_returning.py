from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.bad_events import organic_event, poison_events

from loopwright.api.events.v1.feedback_pb2 import ActionTaken
from loopwright.cli.dead_letters.letters import Letter, Place
from loopwright.cli.dead_letters.returning import Returned, plan_for, send_back
from loopwright.domain.ids import event_id
from loopwright.eventlog import ACTIONS, ORGANIC, EventLog, MemoryBroker, MemoryEventLog, make_event
from loopwright.faults import LogUnavailable
from loopwright.lifecycle import FixedClock


def letter(offset: int, topic: str = "organic", value: bytes | None = None) -> Letter:
    subject = bytes([offset]) * 16
    event = organic_event(offset, subject)
    if topic == "actions":
        fields: dict[str, object] = {"subject": subject, "item_id": 4, "kind": 1}
        taken = ActionTaken(**fields)  # type: ignore[arg-type]
        event = make_event(event_id("a", offset), 5, FixedClock(5), "exposure", action_taken=taken)
    content = event.SerializeToString() if value is None else value
    return Letter(Place(topic, 0, offset), "UNKNOWN_PAYLOAD", "", subject, content, "00-a-b-01", 0, 0)


class Opened:
    """Opens logs on one broker and remembers in whose name."""

    def __init__(self) -> None:
        self.broker = MemoryBroker()
        self.names: list[str] = []

    @asynccontextmanager
    async def __call__(self, writer: str) -> AsyncIterator[EventLog]:
        self.names.append(writer)
        yield MemoryEventLog(self.broker, producer=writer)


async def test_original_bytes_go_back_under_their_key_in_the_name_of_the_topics_writer() -> None:
    opened, done = Opened(), list[Returned]()
    letters = [letter(3), letter(5), letter(4, "actions")]
    await send_back(opened, letters, done)
    assert opened.names == ["ingest", "exposure"]
    assert {event.event_id for event in opened.broker.records(ORGANIC)} == {
        organic_event(n, b"").event_id for n in (3, 5)
    }
    assert len(opened.broker.records(ACTIONS)) == 1
    for sent in done:
        (stored,) = opened.broker.fetch((sent.now.topic, sent.now.partition), sent.now.offset, 1)
        assert (stored.key, stored.value, stored.traceparent) == (sent.letter.key, sent.letter.value, "00-a-b-01")


async def test_what_was_sent_before_a_failure_is_told() -> None:
    opened, done = Opened(), list[Returned]()

    @asynccontextmanager
    async def failing(writer: str) -> AsyncIterator[EventLog]:
        async with opened(writer) as log:
            opened.broker.outage = LogUnavailable() if writer == "exposure" else None
            yield log

    with pytest.raises(LogUnavailable):
        await send_back(failing, [letter(3), letter(4, "actions")], done)
    assert [sent.letter.place.topic for sent in done] == ["organic"]


def test_a_plan_keeps_the_order_of_the_source_and_refuses_what_is_still_bad() -> None:
    (bad,) = poison_events(1)
    broken = letter(4, value=bad.value)
    plan = plan_for([letter(5), broken, letter(3)])
    assert [found.place.offset for found in plan.usable] == [3, 5]
    assert plan.refused == ((broken, "subject is not 16 bytes"),)
