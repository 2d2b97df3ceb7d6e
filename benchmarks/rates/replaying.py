"""Replay beside librdkafka: one topic, read raw by it, raw by our client, and by `replay` into fresh events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from aiokafka import AIOKafkaConsumer, TopicPartition

from benchmarks.harness.rounds import Arm
from benchmarks.rates.raw import BATCH, FETCH_WAIT_MS, RawTopic
from benchmarks.rates.servers import PARTITIONS, Servers, whole_name
from benchmarks.rates.world import events, interactions
from loopwright.eventlog import ORGANIC, DedupWindow, EventLog, Freshness, classify_all
from loopwright.eventlog.appending import encode
from loopwright.eventlog.replay import replay
from loopwright.rpc import Deadline

COUNTED, TAKEN = "librdkafka consumer, messages counted", "librdkafka consumer, values taken"
PRODUCED, APPENDED = "librdkafka producer", "our bulk append"
RAW, DECODED, FRESH = "aiokafka getmany, raw", "our replay, decoded", "our replay, decoded and de-duplicated"
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
_APPEND_ROWS = 2000


@asynccontextmanager
async def replay_arms(servers: Servers, count: int) -> AsyncIterator[tuple[dict[str, Arm], dict[str, Arm]]]:
    """Yield the arms that read one topic of `count` events, and those that append as many to topics of their own."""
    entries = events(interactions(count, users=5000, items=20_000))
    encoded = encode(ORGANIC, entries, TRACEPARENT, "ingest-0")
    prefix = await servers.make("rates.replay.")
    written, appended = await servers.make("rates.written."), await servers.make("rates.appended.")
    async with servers.log(prefix, "ingest") as log, servers.log(appended, "ingest") as sink:
        topic = RawTopic(servers.kafka, whole_name(prefix, ORGANIC), PARTITIONS)
        target = RawTopic(servers.kafka, whole_name(written, ORGANIC), PARTITIONS)
        for start in range(0, count, _APPEND_ROWS):
            part = encoded[start : start + _APPEND_ROWS]
            await log.append_encoded(ORGANIC, part, deadline=Deadline.after(30))
        consumer = AIOKafkaConsumer(
            bootstrap_servers=servers.kafka, enable_auto_commit=False, fetch_max_wait_ms=FETCH_WAIT_MS
        )
        await consumer.start()

        async def append() -> None:
            for start in range(0, count, _APPEND_ROWS):
                part = entries[start : start + _APPEND_ROWS]
                await sink.append_many(ORGANIC, part, deadline=Deadline.after(30))

        try:
            yield (
                {
                    COUNTED: lambda: topic.consume(count, values=False),
                    TAKEN: lambda: topic.consume(count, values=True),
                    RAW: partial(_read_raw, consumer, whole_name(prefix, ORGANIC), count),
                    DECODED: partial(_decode, log, count),
                    FRESH: partial(_decode_fresh, log, count),
                },
                {PRODUCED: lambda: target.produce(encoded), APPENDED: append},
            )
        finally:
            await consumer.stop()
            topic.close()
            target.close()


async def _read_raw(consumer: AIOKafkaConsumer, topic: str, count: int) -> None:
    places = [TopicPartition(topic, partition) for partition in range(PARTITIONS)]
    consumer.assign(places)
    for place in places:
        consumer.seek(place, 0)
    seen = 0
    while seen < count:
        seen += sum(map(len, (await consumer.getmany(timeout_ms=1000, max_records=BATCH)).values()))


async def _decode(log: EventLog, count: int) -> None:
    seen = 0
    async for records in replay(log, [ORGANIC]):
        seen += len(records)
    _whole(seen, count)


async def _decode_fresh(log: EventLog, count: int) -> None:
    windows: dict[int, DedupWindow] = {}
    fresh = 0

    def window(_: str, logical: int) -> DedupWindow:
        return windows.setdefault(logical, DedupWindow())

    async for records in replay(log, [ORGANIC]):
        fresh += classify_all(records, window).count(Freshness.FRESH)
    _whole(fresh, count)


def _whole(found: int, count: int) -> None:
    if found != count:
        raise ValueError(f"{found} events instead of {count}")
