import asyncio
from collections import defaultdict
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import KafkaError, NotEnoughReplicasError
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.default_records import DefaultRecordBatch

from loopwright.domain.ids import logical_partition
from loopwright.eventlog.kafka_batches import send_batches, send_each
from loopwright.eventlog.types import Encoded, Position

PARTITIONS = 4


class Broker:
    """Stands in for a producer and what it writes to; batches hold `size` bytes."""

    def __init__(self, size: int = 400, refuse: int = 0) -> None:
        self.size, self.refuse = size, refuse
        self.batches: list[list[bytes]] = []
        self.values: dict[int, list[bytes]] = defaultdict(list)
        self.traces: set[str] = set()

    def create_batch(self) -> BatchBuilder:
        return BatchBuilder(self.size, 0)

    async def send_batch(self, builder: Any, topic: str, *, partition: int) -> asyncio.Future[Any]:
        assert builder.closed(), "an open batch lingers"
        records = [(r.value, r.headers) for r in DefaultRecordBatch(bytes(builder._build()))]
        self.traces |= {value.decode() for _, headers in records for _, value in headers}
        return self._land(partition, [value for value, _ in records])

    async def send(self, topic: str, *, value: bytes, key: bytes, partition: int, headers: Any) -> asyncio.Future[Any]:
        return self._land(partition, [value])

    def _land(self, partition: int, values: list[bytes]) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if len(self.batches) == self.refuse - 1:
            future.set_exception(NotEnoughReplicasError())
        else:
            future.set_result(SimpleNamespace(partition=partition, offset=len(self.values[partition])))
            self.values[partition] += values
        self.batches.append(values)
        return future


def entries(count: int, size: int = 20) -> list[Encoded]:
    return [Encoded(b"%d" % (n % 23), b"%05d" % n + bytes(size), "trace") for n in range(count)]


def wanted(sent: list[Encoded]) -> dict[int, list[bytes]]:
    found: dict[int, list[bytes]] = defaultdict(list)
    for entry in sent:
        found[logical_partition(entry.key) % PARTITIONS].append(entry.value)
    return found


@pytest.mark.parametrize("send", [send_batches, send_each])
async def test_every_entry_lands_in_its_partition_in_order_and_its_position_is_told(send: Any) -> None:
    broker, sent = Broker(), entries(700)
    positions = await send(broker, "topic", PARTITIONS, sent)
    assert broker.values == wanted(sent)
    for entry, position in zip(sent, positions, strict=True):
        assert isinstance(position, Position)
        assert broker.values[position.partition][position.offset] == entry.value


async def test_batches_are_full_and_carry_the_trace() -> None:
    broker, sent = Broker(size=2000), entries(600)
    await send_batches(broker, "topic", PARTITIONS, sent)
    assert len(broker.batches) < 40
    assert broker.traces == {"trace"}


async def test_an_entry_larger_than_a_batch_goes_alone() -> None:
    broker, sent = Broker(size=300), [*entries(3), *entries(2, size=1000), *entries(3)]
    await send_batches(broker, "topic", PARTITIONS, sent)
    assert broker.values == wanted(sent)
    assert max(len(batch) for batch in broker.batches if len(batch[0]) > 300) == 1


@pytest.mark.parametrize("send", [send_batches, send_each])
async def test_a_refused_batch_raises(send: Any) -> None:
    with pytest.raises(KafkaError):
        await send(Broker(refuse=2), "topic", PARTITIONS, entries(100))
