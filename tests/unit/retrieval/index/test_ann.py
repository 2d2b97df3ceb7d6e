from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from loopwright.domain.vectors import F32
from loopwright.retrieval.index.ann import AnnIndex

RNG = np.random.default_rng(5)


def unit_vectors(count: int, dimension: int = 32) -> F32:
    vectors = RNG.normal(size=(count, dimension)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


VECTORS, QUERIES = unit_vectors(3000), unit_vectors(40)


@pytest.fixture(scope="module")
def index() -> AnnIndex:
    return AnnIndex(VECTORS)


def exact(query: F32, count: int) -> set[int]:
    return set(np.argsort(-(VECTORS @ query), kind="stable")[:count].tolist())


def test_recall_against_an_exact_scan_is_high(index: AnnIndex) -> None:
    hits = [
        len(exact(query, 100) & set(found.tolist()))
        for query in QUERIES
        if (found := index.search(query, 100)) is not None
    ]
    assert len(hits) == len(QUERIES)
    assert sum(hits) / (100 * len(QUERIES)) >= 0.98


def test_two_builds_answer_alike(index: AnnIndex) -> None:
    again = AnnIndex(VECTORS.copy())
    for query in QUERIES:
        np.testing.assert_array_equal(index.search(query, 50), again.search(query, 50))


def test_an_answer_does_not_depend_on_what_else_is_asked_at_the_same_time(index: AnnIndex) -> None:
    alone = [index.search(query, 20) for query in QUERIES]
    with ThreadPoolExecutor(4) as pool:
        wide = [pool.submit(index.search, query, 900) for query in QUERIES]
        beside = list(pool.map(lambda query: index.search(query, 20), QUERIES))
        assert all(future.result() is not None for future in wide)
    for one, other in zip(alone, beside, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_search_as_wide_as_the_index_asks_for_a_scan(index: AnnIndex) -> None:
    assert index.search(QUERIES[0], 1500) is None
    assert index.search(QUERIES[0], 5000) is None
    assert AnnIndex(VECTORS[:1]).search(QUERIES[0], 1) is None
