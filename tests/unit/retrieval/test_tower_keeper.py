from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pytest
from tests.fake_feed import FakeReadiness
from tests.tiny_models import put_two_tower

from loopwright.bundle import default_bundle, with_models
from loopwright.eventlog import Offsets
from loopwright.featurespec.table import ItemTable
from loopwright.modelstore import ModelHashMismatch, ModelStore
from loopwright.modelstore.models import index_epoch
from loopwright.retrieval.tower_keeper import TowerKeeper

from .conftest import interact, upsert

IDS = np.arange(1, 101, dtype=np.uint64)


@dataclass
class Rig:
    store: ModelStore
    table: ItemTable
    readiness: FakeReadiness
    folded: list[Offsets]
    keeper: TowerKeeper

    def touch(self, item: int) -> None:
        self.keeper.touch(self.table.rows_of(np.array([item], np.uint64)))


@pytest.fixture
async def rig(store: ModelStore, table: ItemTable) -> AsyncIterator[Rig]:
    readiness, folded = FakeReadiness(), list[Offsets]()
    with ThreadPoolExecutor(1) as executor:
        yield Rig(
            store,
            table,
            readiness,
            folded,
            TowerKeeper(
                store,
                table,
                readiness,
                executor,
                interval_s=0.01,
                position=lambda: {("item_rows", 0): table.version},
                folded=folded.append,
            ),
        )


async def test_a_pinned_version_is_opened_once_and_reported_with_its_index(rig: Rig) -> None:
    version = put_two_tower(rig.store, IDS).model_version
    bundle = with_models(default_bundle(), two_tower=version)
    index = await rig.keeper.load(bundle)
    assert index is not None and await rig.keeper.load(bundle) is index
    assert rig.readiness.said == [("loaded", "two_tower", version), ("loaded", "index", version)]
    assert index.view.epoch == index_epoch(version, index.tower.vocabulary, 16, rig.table)
    assert await rig.keeper.load(default_bundle()) is None


async def test_a_corrupted_model_is_refused_with_its_reason_and_the_old_one_serves_on(rig: Rig) -> None:
    good = await rig.keeper.load(with_models(default_bundle(), two_tower=put_two_tower(rig.store, IDS).model_version))
    version = put_two_tower(rig.store, IDS, seed=2).model_version
    (rig.store.path(version) / "user_tower.onnx").write_bytes(b"rubbish")
    with pytest.raises(ModelHashMismatch):
        await rig.keeper.load(with_models(default_bundle(), two_tower=version))
    assert rig.readiness.said[-1] == ("rejected", "two_tower", version)
    assert rig.readiness.reasons["two_tower", version].startswith("MODEL_HASH_MISMATCH: ")
    assert good is not None and len(good.view.search(np.ones(8, np.float32), 5, IDS[:0])[0]) == 5


async def test_new_and_changed_items_reach_every_index_and_counts_do_not(rig: Rig) -> None:
    indexes = [
        await rig.keeper.load(
            with_models(default_bundle(), two_tower=put_two_tower(rig.store, IDS, seed=seed).model_version)
        )
        for seed in (1, 2)
    ]
    before = [index.view for index in indexes if index]
    interact(rig.table, 5)
    rig.touch(5)
    await rig.keeper.refresh()
    assert [index.view for index in indexes if index] == before
    upsert(rig.table, 900, tag="new")
    rig.touch(900)
    await rig.keeper.refresh()
    for index in indexes:
        assert index is not None
        assert index.view.vectors_of(np.array([900], np.uint64)).any()
        assert index.view.epoch == index_epoch(index.tower.version, index.tower.vocabulary, 16, rig.table)
    assert rig.folded[-1] == {("item_rows", 0): rig.table.version}


async def test_the_refresh_runs_by_itself_until_it_is_stopped(rig: Rig) -> None:
    import asyncio

    async with rig.keeper as keeper:
        async with asyncio.timeout(10):
            while len(rig.folded) < 3:
                await asyncio.sleep(0.005)
    await keeper.wait()
    seen = len(rig.folded)
    await asyncio.sleep(0.03)
    assert len(rig.folded) == seen
