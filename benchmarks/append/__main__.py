"""`python -m benchmarks.append`: appends through exposure's writer against a bare aiokafka `send_and_wait`.

One process, one broker, one partition; below, what settling a whole decision costs against its bare exchanges.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from aiokafka import AIOKafkaProducer

from benchmarks.append.payload import SEED, SIZES, SUBJECT, decision, record_event
from benchmarks.harness.machine import load
from benchmarks.harness.results import write_section
from benchmarks.harness.rounds import Arm, measure
from benchmarks.harness.tables import Bound, bounds_table, latency_table
from benchmarks.hop.spans import spans_on
from loopwright.domain.ids import logical_partition, physical_partition
from loopwright.eventlog import DECISIONS, DurableWriter, KafkaEventLog, Outbox, provisioning, wall_now_ms
from loopwright.exposure.bootstrap import bootstrap
from loopwright.exposure.config import ExposureSettings
from loopwright.lifecycle import MeshClock
from loopwright.lifecycle.memory import settle_memory
from loopwright.localmesh.embedded import EmbeddedServers
from loopwright.rpc import Deadline, run
from loopwright.store.connection import open_redis

BOUND = 2.0
PREFIX = "bench."
REPLICA = "exposure-0"
TIMEOUT_S = 1.0
SETTLED_BYTES = SIZES["10 KB"]


async def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.append", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="rounds of each arm")
    parser.add_argument("--per-round", type=int, default=100, help="appends of an arm in a round")
    parser.add_argument("--dry", action="store_true", help="print and leave RESULTS.md as it is")
    asked = parser.parse_args()
    before = load()
    spans_on("append")
    clock = MeshClock(wall_now_ms)
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="loopwright-append-")))
        servers = await stack.enter_async_context(EmbeddedServers(folder))
        kafka, redis_url = servers.kafka_bootstrap, servers.redis_url
        await provisioning.ensure_topics(kafka, prefix=PREFIX)
        log = await stack.enter_async_context(
            KafkaEventLog.open(kafka, producer="exposure", replica=REPLICA, prefix=PREFIX)
        )
        outbox = await stack.enter_async_context(Outbox.open(folder / "outbox", partitions=log.partitions))
        writer = await stack.enter_async_context(DurableWriter(log, outbox, kafka_budget_s=TIMEOUT_S))
        bare = await stack.enter_async_context(
            AIOKafkaProducer(bootstrap_servers=kafka, acks="all", enable_idempotence=True, compression_type="zstd")
        )
        settings = ExposureSettings(redis_url=redis_url, outbox_path=folder / "ledger", log_budget_ms=TIMEOUT_S * 1000)
        exposure = await stack.enter_async_context(bootstrap(settings, log, clock))
        redis = await stack.enter_async_context(open_redis(redis_url, TIMEOUT_S))
        settle_memory()
        partition = physical_partition(logical_partition(SUBJECT), log.partitions)
        send = partial(bare.send_and_wait, PREFIX + DECISIONS.name, key=SUBJECT, partition=partition)
        parts, bounds = [], []
        for name, size in SIZES.items():
            event = record_event(size, clock, REPLICA)

            async def append() -> None:
                await writer.append(DECISIONS, SUBJECT, event, deadline=Deadline.after(TIMEOUT_S))  # noqa: B023

            arms: dict[str, Arm] = {"bare send_and_wait": partial(send, event.SerializeToString()), "append": append}
            table = await measure(arms, rounds=asked.rounds, per_round=asked.per_round, warm_up=50)
            parts.append(f"### {name}\n\n" + latency_table(table, list(arms), "bare send_and_wait"))
            ratio = table.ratio("append", "bare send_and_wait")
            bounds.append(Bound(f"append / send_and_wait of {name}, p50", ratio, BOUND))

        runs = asked.rounds * asked.per_round + 50
        waiting = iter([decision(number, SETTLED_BYTES, clock) for number in range(runs)])
        body, numbers = record_event(SETTLED_BYTES, clock, REPLICA).SerializeToString(), itertools.count()

        async def exchanges() -> None:
            key = f"bench:{next(numbers)}"
            await redis.set(key, b"claim", nx=True, get=True, px=2000)
            await send(body)
            await redis.set(key, body[:2000], px=60_000)

        async def settle() -> None:
            await exposure.ledger.settle(next(waiting), Deadline.after(TIMEOUT_S))

        arms = {"bare SET NX, send_and_wait, SET": exchanges, "settle": settle}
        table = await measure(arms, rounds=asked.rounds, per_round=asked.per_round, warm_up=50)
        parts.append("### A whole decision of 20 items, 10 KB\n\n" + latency_table(table, list(arms), next(iter(arms))))
    text = "\n\n".join(
        [
            bounds_table(bounds),
            *parts,
            "Append: `DurableWriter.append` with an outbox that is empty, linger 0: deadline, rule of one writer, "
            "encoding, span, counters. Both: acks=all, idempotent, zstd, one record at a time. Settle: 20 tokens "
            "minted, the request id claimed, the record appended, the answer stored and its items guarded.",
        ]
    )
    print(text if asked.dry else write_section("append", "One append", text, seeds=str(SEED), load_before=before))


if __name__ == "__main__":
    run(main)
