import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tiny_models import put_two_tower

from loopwright.domain.vectors import F32, I64, U64
from loopwright.featurespec.signals import tower_products
from loopwright.modelstore import ModelStore
from loopwright.modelstore.models import TwoTower, contents_hash, open_two_tower
from loopwright.retrieval.index import tower_index as tower_index_room
from loopwright.retrieval.index.ann import AnnIndex
from loopwright.retrieval.index.tower_index import BUFFER_FLOOR, TowerIndex

RNG = np.random.default_rng(2)
COUNT = 1600
IDS = RNG.permutation(np.arange(1, COUNT + 1)).astype(np.uint64)
CONTENT = RNG.normal(size=(COUNT, 18)).astype(np.float32)
USER = RNG.normal(size=8).astype(np.float32)
NOBODY = np.zeros(0, np.uint64)


@pytest.fixture(scope="module")
def tower(tmp_path_factory: pytest.TempPathFactory) -> TwoTower:
    store = ModelStore(Path(tmp_path_factory.mktemp("models")))
    return open_two_tower(store, put_two_tower(store, np.arange(1, 1001, dtype=np.uint64)).model_version)


def exact(tower: TwoTower, ids: U64, content: F32, count: int, barred: U64 = NOBODY) -> list[int]:
    scores = tower_products(USER, tower.embed_items(tower.vocabulary.codes(ids), content[:, :16])).scores
    order = np.lexsort((ids, -scores))
    return [item for item in ids[order].tolist() if item not in set(barred.tolist())][:count]


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 300), st.integers(1, 40), st.integers(0, 200))
def test_graph_and_buffer_together_find_what_an_exact_scan_finds(
    tower: TwoTower, late: int, count: int, barred_count: int
) -> None:
    index = TowerIndex(tower)
    index.put(IDS[:-late], CONTENT[:-late])
    assert index.view.graph is not None
    index.put(IDS[-late:], CONTENT[-late:])
    assert len(index.view.buffer_ids) == late
    barred = np.sort(IDS[:: max(1, COUNT // max(1, barred_count))])
    wanted = exact(tower, IDS, CONTENT, count, barred)
    found, scores, _ = index.view.search(USER, count, barred)
    assert len(found) == count and not np.isin(found, barred).any()
    assert len(set(found.tolist()) & set(wanted)) / count >= 0.98
    assert (np.diff(scores) <= 0).all()


def test_a_changed_item_is_found_by_its_new_vector_and_never_twice(tower: TwoTower) -> None:
    index = TowerIndex(tower)
    index.put(IDS, CONTENT)
    changed = CONTENT.copy()
    changed[:50] += 3
    assert index.put(IDS, changed)
    assert len(index.view.buffer_ids) == 50 and len(index.view.superseded) == 50
    found, _, _ = index.view.search(USER, COUNT, NOBODY)
    assert found.tolist() == exact(tower, IDS, changed, COUNT)
    vectors = index.view.vectors_of(IDS[:60])
    np.testing.assert_allclose(
        vectors, tower.embed_items(tower.vocabulary.codes(IDS[:60]), changed[:60, :16]), atol=1e-6
    )


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 400), st.integers(0, 200), st.integers(1, 1600), st.lists(st.integers(1, COUNT + 5), max_size=60))
def test_a_scan_of_graph_and_buffer_is_exact_with_changed_and_barred_items_in_both(
    tower: TwoTower, late: int, changes: int, count: int, left_out: list[int]
) -> None:
    index = TowerIndex(tower)
    index.put(IDS[: COUNT - late], CONTENT[: COUNT - late])
    content = CONTENT.copy()
    content[:changes] += 0.5
    index.put(IDS, content)
    barred = np.unique(np.array(left_out, np.uint64))
    found, scores, products = index.view.search(USER, count, barred)
    assert found.tolist() == exact(tower, IDS, content, count, barred)
    vectors, squares = index.view.embeddings_of(found)
    measured = tower_products(USER, vectors, squares)
    np.testing.assert_array_equal(products.dots, measured.dots)
    np.testing.assert_array_equal(products.squares, measured.squares)
    np.testing.assert_array_equal(scores, tower_products(USER, vectors).scores)


def test_an_unchanged_item_changes_nothing(tower: TwoTower) -> None:
    index = TowerIndex(tower)
    index.put(IDS[:10], CONTENT[:10])
    view = index.view
    beyond = CONTENT[:10].copy()
    beyond[:, 16:] += 1  # columns that this model does not read
    assert not index.put(IDS[:10], beyond)
    assert index.view is view


def test_a_grown_buffer_is_merged_into_a_new_graph(tower: TwoTower) -> None:
    index = TowerIndex(tower)
    for start in range(0, COUNT, 100):
        index.put(IDS[start : start + 100], CONTENT[start : start + 100])
        assert len(index.view.buffer_ids) <= max(BUFFER_FLOOR, len(index.view.graph_ids) // 10)
    assert index.view.graph is not None
    found, _, _ = index.view.search(USER, COUNT, NOBODY)
    assert found.tolist() == exact(tower, IDS, CONTENT, COUNT)


def test_the_epoch_is_that_of_the_contents_however_they_came(tower: TwoTower) -> None:
    whole, parts = TowerIndex(tower), TowerIndex(tower)
    whole.put(IDS, CONTENT)
    for start in range(0, COUNT, 333):
        parts.put(IDS[start : start + 333][::-1], CONTENT[start : start + 333][::-1])
    expected = contents_hash(tower.version, IDS, tower.vocabulary.codes(IDS), CONTENT[:, :16])
    assert whole.view.epoch == parts.view.epoch == expected


def test_two_builds_give_identical_lists(tower: TwoTower) -> None:
    first, second = TowerIndex(tower), TowerIndex(tower)
    first.put(IDS, CONTENT)
    second.put(IDS.copy(), CONTENT.copy())
    for seed in range(20):
        user = np.random.default_rng(seed).normal(size=8).astype(np.float32)
        one, other = first.view.search(user, 30, NOBODY), second.view.search(user, 30, NOBODY)
        assert one[0].tobytes() == other[0].tobytes() and one[1].tobytes() == other[1].tobytes()


def test_inserting_while_others_search_is_safe_and_a_view_never_changes(tower: TwoTower) -> None:
    index = TowerIndex(tower)
    index.put(IDS[:700], CONTENT[:700])
    held = index.view
    before = held.search(USER, 20, NOBODY)[0].tolist()
    stop, broken = threading.Event(), list[str]()

    def search() -> None:
        while not stop.is_set():
            found, scores, _ = index.view.search(USER, 20, NOBODY)
            if len(set(found.tolist())) != 20 or not (np.diff(scores) <= 0).all():
                broken.append("a search saw a half-changed index")

    threads = [threading.Thread(target=search) for _ in range(3)]
    for thread in threads:
        thread.start()
    for start in range(700, COUNT, 30):
        index.put(IDS[start : start + 30], CONTENT[start : start + 30])
    stop.set()
    for thread in threads:
        thread.join()
    assert broken == []
    assert held.search(USER, 20, NOBODY)[0].tolist() == before
    assert index.view.search(USER, COUNT, NOBODY)[0].tolist() == exact(tower, IDS, CONTENT, COUNT)


def test_an_empty_index_finds_nothing(tower: TwoTower) -> None:
    found, scores, _ = TowerIndex(tower).view.search(USER, 10, NOBODY)
    assert len(found) == len(scores) == 0


def test_a_graph_search_finds_what_the_scan_of_a_small_index_finds(
    tower: TwoTower, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = TowerIndex(tower)
    index.put(IDS, CONTENT)
    barred = np.sort(IDS[::9])
    scanned, _, _ = index.view.search(USER, 40, barred)
    assert scanned.tolist() == exact(tower, IDS, CONTENT, 40, barred)
    monkeypatch.setattr(tower_index_room, "ITEMS_PER_BREADTH", 1)
    searched: list[int] = []
    graph = index.view.graph
    assert graph is not None
    monkeypatch.setattr(type(graph), "search", _counted(type(graph).search, searched))
    found, _, _ = index.view.search(USER, 40, barred)
    assert searched and not np.isin(found, barred).any()
    assert len(set(found.tolist()) & set(scanned.tolist())) / 40 >= 0.98


def _counted(search: Callable[..., I64 | None], counts: list[int]) -> Callable[..., I64 | None]:
    def counted(self: AnnIndex, vector: F32, count: int) -> I64 | None:
        counts.append(count)
        return search(self, vector, count)

    return counted
