"""librdkafka, the C client of Kafka, on our topics: the floor of every rate here; nothing of ours takes part."""

from __future__ import annotations

from collections.abc import Sequence

import confluent_kafka

from loopwright.domain.ids import logical_partition
from loopwright.eventlog import Encoded

BATCH = 5000
"""Messages a `consume` asks for."""

FETCH_WAIT_MS = 10
"""A consumer that begins anew waits for its last fetch, which found the topic's end: no part of the rate."""

SILENT = 0
"""Its log level: it would tell that the broker is gone, which the end of the benchmark is."""

_PATIENCE_S = 30.0


class RawTopic:
    """A consumer and a producer of librdkafka on one topic with explicit partitions."""

    def __init__(self, bootstrap: str, topic: str, partitions: int) -> None:
        """Connect; `topic` is the whole name, prefix included."""
        self._topic, self._partitions = topic, partitions
        self._consumer = confluent_kafka.Consumer(
            {
                "bootstrap.servers": bootstrap,
                "log_level": SILENT,
                "group.id": "rates",
                "enable.auto.commit": False,
                "fetch.wait.max.ms": FETCH_WAIT_MS,
                # By default it pauses for a second once 100,000 messages wait for us.
                "fetch.queue.backoff.ms": FETCH_WAIT_MS,
                "queued.min.messages": 1_000_000,
            }
        )
        # As our bulk producer: acknowledged by all replicas, idempotent, zstd, 5 ms of linger.
        self._producer = confluent_kafka.Producer(
            {
                "bootstrap.servers": bootstrap,
                "log_level": SILENT,
                "acks": "all",
                "enable.idempotence": True,
                "compression.type": "zstd",
                "linger.ms": 5,
                "batch.size": 512 * 1024,
                "queue.buffering.max.messages": 1_000_000,
            }
        )

    def consume(self, count: int, *, values: bool) -> int:
        """Read the topic from its beginning until `count` messages came; return their number, or bytes of values.

        Args:
            count: Messages on the topic.
            values: Whether each message's value is taken out of the library's object, as every reader must.

        Raises:
            TimeoutError: Nothing came for 30 s.
        """
        where = confluent_kafka.TopicPartition
        self._consumer.assign([where(self._topic, partition, 0) for partition in range(self._partitions)])
        seen = size = 0
        while seen < count:
            messages = self._consumer.consume(BATCH, timeout=_PATIENCE_S)
            if not messages:
                raise TimeoutError(f"{self._topic} holds fewer than {count} messages")
            seen += len(messages)
            if values:
                size += sum(len(message.value() or b"") for message in messages)
        self._consumer.unassign()
        return size if values else seen

    def produce(self, entries: Sequence[Encoded]) -> None:
        """Append all entries and return when all are acknowledged.

        Raises:
            TimeoutError: Some are not, after 30 s.
        """
        for number, entry in enumerate(entries):
            self._producer.produce(
                self._topic,
                entry.value,
                entry.key,
                partition=logical_partition(entry.key) % self._partitions,
                headers=[("traceparent", entry.traceparent.encode())],
            )
            if number % 1000 == 0:
                self._producer.poll(0)
        if self._producer.flush(_PATIENCE_S):
            raise TimeoutError(f"appends to {self._topic} were not acknowledged")

    def close(self) -> None:
        """Disconnect."""
        self._consumer.close()
