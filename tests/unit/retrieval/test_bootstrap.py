import asyncio
from pathlib import Path

import numpy as np
import pytest
from tests.tiny_models import put_two_tower

from loopwright.api.events.v1.feedback_pb2 import ActionKind, OrganicInteraction
from loopwright.api.events.v1.policy_pb2 import PolicyPublished
from loopwright.api.events.v1.projection_pb2 import ItemRowFolded
from loopwright.bundle import PolicyBundle, canonical_json, default_bundle, policy_version, with_models
from loopwright.domain.ids import event_id
from loopwright.eventlog import ITEM_ROWS, ORGANIC, POLICIES, READINESS, MemoryBroker, MemoryEventLog, Topic, make_event
from loopwright.featurespec.table import ItemTable
from loopwright.lifecycle import FixedClock, process_over
from loopwright.modelstore import ModelStore
from loopwright.modelstore.models import index_epoch, open_two_tower
from loopwright.retrieval.bootstrap import Retrieval, bootstrap
from loopwright.retrieval.config import RetrievalSettings
from loopwright.rpc import Deadline

from .conftest import ALL_SOURCES, NOW_MS, history_of, query, upsert

CLOCK = FixedClock(NOW_MS)


async def say(broker: MemoryBroker, producer: str, topic: Topic, key: bytes, number: int, **payload: object) -> None:
    event = make_event(event_id(topic.name, key, number), NOW_MS, CLOCK, producer, **payload)
    await MemoryEventLog(broker, producer=producer).append(topic, key, event, deadline=Deadline.after(5))


async def fold(broker: MemoryBroker, table: ItemTable) -> None:
    states = table.encode_rows(np.arange(len(table)))
    for item, groups in zip(table.ids.tolist(), states, strict=True):
        for group, state in groups.items():
            key = item.to_bytes(8, "big") + group.encode()
            row = ItemRowFolded(item_id=item, group_version=group, state=state)
            await say(broker, "projector", ITEM_ROWS, key, table.version, item_row_folded=row)


async def like(broker: MemoryBroker, user: int, item: int) -> None:
    subject = bytes([user]) * 16
    said = OrganicInteraction(subject=subject, item_id=item, kind=ActionKind.ACTION_KIND_LIKE, liked=True)
    await say(broker, "ingest", ORGANIC, subject, item, organic_interaction=said)


async def publish(broker: MemoryBroker, bundle: PolicyBundle) -> str:
    version = policy_version(bundle)
    said = PolicyPublished(policy_version=version, surface=bundle.surface, canonical=canonical_json(bundle))
    number = int(version[:8], 16)
    await say(broker, "policy", POLICIES, bundle.surface.encode(), number, policy_published=said)
    return version


def reports(broker: MemoryBroker) -> list[tuple[str, str, int]]:
    events = [event.replica_reported for event in broker.records(READINESS)]
    return [(report.kind, report.artefact, report.state) for report in events]


async def test_the_composed_service_follows_log_and_bundles_and_reports_what_it_has(
    table: ItemTable, tmp_path: Path
) -> None:
    broker, store = MemoryBroker(wall_ms=CLOCK.wall_ms), ModelStore(tmp_path / "models")
    await fold(broker, table)
    for user, item in ((1, 10), (1, 20), (2, 10), (2, 20)):
        await like(broker, user, item)
    tower_version = put_two_tower(store, np.arange(1, 101, dtype=np.uint64)).model_version
    pinned = with_models(default_bundle(), two_tower=tower_version)
    plain, good = await publish(broker, default_bundle()), await publish(broker, pinned)
    settings = RetrievalSettings(model_store_path=tmp_path / "models", index_refresh_ms=10, graph_interval_s=0.05)
    log = MemoryEventLog(broker, producer="retrieval")
    async with (
        process_over(log, "retrieval", settings, wall_ms=CLOCK.wall_ms) as process,
        bootstrap(settings, process) as retrieval,
    ):
        assert {("two_tower", tower_version, 1), ("index", tower_version, 1)} <= set(reports(broker))
        assert {("bundle", plain, 1), ("bundle", good, 1)} <= set(reports(broker))
        asked = query(policy_version=good, two_tower_version=tower_version, history=history_of(10), sources=ALL_SOURCES)
        found = await retrieval.retriever.retrieve(asked, Deadline.after(10))
        tower = open_two_tower(store, tower_version)
        assert found.index_epoch == index_epoch(tower_version, tower.vocabulary, 16, table)
        assert [report.count > 0 for report in found.reports] == [True, True, True, True, True]
        co_visited = found.item_ids[found.source_ranks[:, 1] > 0]
        assert co_visited.tolist() == [20]

        missing = await publish(broker, with_models(default_bundle(), two_tower="0" * 64))
        upsert(table, 900, tag="brand new")
        await fold(broker, table)
        await new_item_is_found(retrieval, tower_version, good)
        async with asyncio.timeout(10):
            while ("bundle", missing, 2) not in reports(broker):
                await asyncio.sleep(0.01)
        assert len((await retrieval.retriever.retrieve(asked, Deadline.after(10))).item_ids) > 0
        async with asyncio.timeout(10):
            while not {"progress:graph", "progress:mirror"} <= {kind for kind, _, _ in reports(broker)}:
                await asyncio.sleep(0.01)


async def new_item_is_found(retrieval: Retrieval, tower_version: str, policy: str) -> None:
    sources = tuple(plan for plan in ALL_SOURCES if plan.source.name == "TWO_TOWER")
    asked = query(
        policy_version=policy,
        two_tower_version=tower_version,
        sources=sources,
        avoid=np.arange(1, 101, dtype=np.uint64),
    )
    async with asyncio.timeout(10):
        while True:
            found = await retrieval.retriever.retrieve(asked, Deadline.after(10))
            if found.item_ids.tolist() == [900]:
                return
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("name", ["worker_threads", "index_refresh_ms", "graph_interval_s"])
def test_a_setting_out_of_range_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        RetrievalSettings(**{name: 0})
