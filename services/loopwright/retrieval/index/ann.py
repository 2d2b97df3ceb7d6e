"""`AnnIndex`: an HNSW graph over item embeddings that is built once and never changed."""

from __future__ import annotations

import threading

import hnswlib
import numpy as np

from loopwright.domain.vectors import F32, I64
from loopwright.faults import Internal, translate

NEIGHBOURS, BUILD_BREADTH = 16, 200
"""hnswlib's M and efConstruction; measured recall@100 .985 at ef 200 over 100,000 unit vectors."""
SEED = 100
LEAST_BREADTH = 200


class AnnIndex:
    """Inner-product neighbours of a fixed set of vectors; labels are their row numbers.

    Built on one thread in row order, so equal vectors give an equal graph. Never inserted into: hnswlib allows no
    insertion beside a search.
    """

    def __init__(self, vectors: F32) -> None:
        """Build the graph over float32 [n, d], n at least 1."""
        count, dimension = vectors.shape
        self._size = int(count)
        self._lock = threading.Lock()  # ef belongs to the index, not to the query
        with translate({RuntimeError: Internal}):
            self._index = hnswlib.Index("ip", dimension)
            self._index.init_index(count, M=NEIGHBOURS, ef_construction=BUILD_BREADTH, random_seed=SEED)
            self._index.set_num_threads(1)
            self._index.add_items(vectors, np.arange(count), num_threads=1)

    def __len__(self) -> int:
        return self._size

    def search(self, vector: F32, count: int) -> I64 | None:
        """Return the rows of about the `count` nearest vectors, in no promised order; None: scan them all instead.

        The breadth is at least twice the count; where that reaches the size of the index, a search would visit
        every vector anyway, and a scan is exact.
        """
        breadth = max(LEAST_BREADTH, 2 * count)
        if breadth >= self._size:
            return None
        with self._lock:
            self._index.set_ef(breadth)
            try:
                labels, _ = self._index.knn_query(vector.reshape(1, -1), k=count, num_threads=1)
            except RuntimeError:  # hnswlib raises when the graph yields fewer than k (nmslib/hnswlib#93)
                return None
        rows: I64 = labels[0].astype(np.int64)
        return rows
