"""`TowerIndex`: the searchable items of one two-tower version; new and changed items are found at once.

Items in, proposals out. An immutable graph holds most items, an exact side buffer the newer ones; both are searched
together, and a rebuild aside merges them when the buffer has grown.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loopwright.domain.vectors import F32, F64, I64, U64
from loopwright.featurespec.signals import TowerProducts, squared_lengths, tower_products
from loopwright.modelstore.models import Contents, TwoTower
from loopwright.retrieval.index.ann import AnnIndex
from loopwright.retrieval.selection import best

BUFFER_FLOOR = 512
BUFFER_SHARE = 0.1
"""The buffer is merged into a new graph above both: a scan of it then costs more than it saves."""

ITEMS_PER_BREADTH = 160
"""A scan of n items costs what a graph search for n / 160 items does: measured 12 ns an item (64-d, one product and one
partition) against 1 us for each of the 2 * count places of the search's breadth. Below that the scan is exact, too."""


@dataclass(frozen=True, slots=True)
class IndexView:
    """One moment of an index: searching it sees nothing of later changes.

    Attributes:
        epoch: Hash of what it holds.
        graph: The HNSW graph, None while there is none.
        graph_ids: uint64 [n], ascending; row = label in the graph.
        graph_vectors: float32 [n, d].
        graph_squares: float64 [n], squared length of each vector.
        superseded: int64, ascending, rows whose item has a newer vector in the buffer.
        buffer_ids: uint64 [m], ascending.
        buffer_vectors: float32 [m, d].
        buffer_squares: float64 [m].
        longest: length of the longest vector.
    """

    epoch: str
    graph: AnnIndex | None
    graph_ids: U64
    graph_vectors: F32
    graph_squares: F64
    superseded: I64
    buffer_ids: U64
    buffer_vectors: F32
    buffer_squares: F64
    longest: float

    def search(self, user: F32, count: int, barred: U64) -> tuple[U64, F32, TowerProducts]:
        """Return ids, exact scores and products of the nearest items not barred, best first, ties by item id.

        Args:
            user: float32 [d].
            count: Items wanted; the search widens by what it must leave out.
            barred: uint64, ascending.
        """
        left_out = _rows_of(self.graph_ids, barred)
        if len(self.buffer_ids):
            late = _rows_of(self.buffer_ids, barred)
            left_out = np.concatenate([left_out, self.superseded[~np.isin(self.superseded, left_out)]])
        else:
            late = left_out[:0]
        rows = None
        wanted = min(count + len(left_out), len(self.graph_ids))
        if self.graph is not None and wanted * ITEMS_PER_BREADTH < len(self.graph_ids):
            rows = self.graph.search(user, wanted)
        if rows is None:
            rows, fresh = self._scanned(user, count, left_out, late)
        else:
            rows = rows[np.isin(rows, left_out, invert=True)]
            fresh = np.delete(np.arange(len(self.buffer_ids)), late)
        ids, vectors, squares = self.graph_ids[rows], self.graph_vectors.take(rows, axis=0), self.graph_squares[rows]
        if len(fresh):
            ids = np.concatenate([ids, self.buffer_ids[fresh]])
            vectors = np.concatenate([vectors, self.buffer_vectors[fresh]])
            squares = np.concatenate([squares, self.buffer_squares[fresh]])
        products = tower_products(user, vectors, squares)
        scores = products.scores
        kept = best(ids, scores, count)
        products = TowerProducts(products.dots[kept], squares[kept], products.user_square)
        return ids[kept], scores[kept], products

    def _scanned(self, user: F32, count: int, left_out: I64, late: I64) -> tuple[I64, I64]:
        """Return rows of graph and buffer that hold the best `count` by exact score, from float32 products with all.

        A float32 inner product of d terms is off by at most about d * 2**-24 times both lengths (Higham, "Accuracy and
        Stability of Numerical Algorithms", section 3.1), so who is further than twice that below cannot be among them.
        """
        n = len(self.graph_ids)
        rough = np.empty(n + len(self.buffer_ids), dtype=np.float32)
        np.dot(self.graph_vectors, user, out=rough[:n])
        np.dot(self.buffer_vectors, user, out=rough[n:])
        rough[left_out], rough[n:][late] = -np.inf, -np.inf
        if count < len(rough) - len(left_out) - len(late):
            floor = np.partition(rough, len(rough) - count)[len(rough) - count]
            longest = self.longest * np.sqrt((user.astype(np.float64) ** 2).sum())
            rows = np.flatnonzero(rough >= floor - 2.0 * (len(user) + 2) * 2.0**-24 * longest)
        else:
            rows = np.flatnonzero(rough > -np.inf)
        of_graph = int(np.searchsorted(rows, n))
        return rows[:of_graph], rows[of_graph:] - n

    def embeddings_of(self, item_ids: U64) -> tuple[F32, F64]:
        """Return float32 [n, d] and float64 [n]: embeddings and squared lengths, zeros for items the index lacks."""
        graph = (self.graph_ids, self.graph_vectors, self.graph_squares)
        buffer = (self.buffer_ids, self.buffer_vectors, self.buffer_squares)
        if not len(self.buffer_ids):
            place = _rows_of(self.graph_ids, item_ids)
            if len(place) == len(item_ids):
                return self.graph_vectors.take(place, axis=0), self.graph_squares[place]
        found = np.zeros((len(item_ids), self.buffer_vectors.shape[1]), dtype=np.float32)
        squares = np.zeros(len(item_ids), dtype=np.float64)
        for ids, vectors, lengths in (graph, buffer):
            if len(ids):
                place = np.minimum(np.searchsorted(ids, item_ids), len(ids) - 1)
                known = ids[place] == item_ids
                found[known], squares[known] = vectors[place[known]], lengths[place[known]]
        return found, squares

    def vectors_of(self, item_ids: U64) -> F32:
        """Return float32 [n, d]: each item's embedding, zeros for items the index lacks."""
        return self.embeddings_of(item_ids)[0]


def _rows_of(ids: U64, asked: U64) -> I64:
    """Return the places in `ids`, ascending, of those asked for that are among them."""
    if not len(ids):
        return np.zeros(0, dtype=np.int64)
    place = np.minimum(np.searchsorted(ids, asked), len(ids) - 1)
    found: I64 = place[ids[place] == asked]
    return found


class TowerIndex:
    """Keeps an `IndexView` current. One thread at a time calls `put`; any may search the view."""

    def __init__(self, tower: TwoTower) -> None:
        self.tower = tower
        self._contents = Contents(tower.version)
        self._inputs: dict[int, bytes] = {}
        empty_ids, empty = np.zeros(0, np.uint64), np.zeros((0, tower.dimension), np.float32)
        none, nothing = np.zeros(0, np.int64), np.zeros(0, np.float64)
        self._view = IndexView(
            self._contents.epoch(), None, empty_ids, empty, nothing, none, empty_ids, empty, nothing, 0.0
        )

    @property
    def view(self) -> IndexView:
        """The present moment of the index."""
        return self._view

    def put(self, item_ids: U64, content: F32) -> bool:
        """Embed items that are new or whose input changed; True when the view changed.

        Args:
            item_ids: uint64 [n], distinct.
            content: float32 [n, W], `featurespec.tower_content`.

        Raises:
            ModelNotFinite: The tower answers NaN or infinity.
        """
        content = np.ascontiguousarray(content[:, : self.tower.content_width], dtype=np.float32)
        changed = np.array(
            [self._inputs.get(item) != row.tobytes() for item, row in zip(item_ids.tolist(), content, strict=True)],
            dtype=np.bool_,
        )
        if not changed.any():
            return False
        ids, content = item_ids[changed], content[changed]
        codes = self.tower.vocabulary.codes(ids)
        vectors = self._embed(codes, content)
        self._contents.put(ids, codes, content)
        self._inputs.update(zip(ids.tolist(), (row.tobytes() for row in content), strict=True))
        self._view = self._with(ids, vectors)
        return True

    def _embed(self, codes: I64, content: F32) -> F32:
        parts = [
            self.tower.embed_items(codes[start : start + _BATCH], content[start : start + _BATCH])
            for start in range(0, len(codes), _BATCH)
        ]
        return np.concatenate(parts)

    def _with(self, ids: U64, vectors: F32) -> IndexView:
        old = self._view
        kept = ~np.isin(old.buffer_ids, ids)
        buffer_ids = np.concatenate([old.buffer_ids[kept], ids])
        buffer = np.concatenate([old.buffer_vectors[kept], vectors])
        superseded = np.union1d(old.superseded, _rows_of(old.graph_ids, ids))
        if len(buffer_ids) > max(BUFFER_FLOOR, BUFFER_SHARE * len(old.graph_ids)):
            all_ids = np.concatenate([np.delete(old.graph_ids, superseded), buffer_ids])
            everything = np.concatenate([np.delete(old.graph_vectors, superseded, axis=0), buffer])
            order = np.argsort(all_ids, kind="stable")
            graph_ids, graph_vectors = all_ids[order], np.ascontiguousarray(everything[order])
            squares = squared_lengths(graph_vectors)
            return IndexView(
                epoch=self._contents.epoch(),
                graph=AnnIndex(graph_vectors),
                graph_ids=graph_ids,
                graph_vectors=graph_vectors,
                graph_squares=squares,
                superseded=superseded[:0],
                buffer_ids=graph_ids[:0],
                buffer_vectors=graph_vectors[:0],
                buffer_squares=squares[:0],
                longest=float(np.sqrt(squares.max())),
            )
        order = np.argsort(buffer_ids, kind="stable")
        squares = squared_lengths(buffer[order])
        return IndexView(
            epoch=self._contents.epoch(),
            graph=old.graph,
            graph_ids=old.graph_ids,
            graph_vectors=old.graph_vectors,
            graph_squares=old.graph_squares,
            superseded=superseded,
            buffer_ids=buffer_ids[order],
            buffer_vectors=buffer[order],
            buffer_squares=squares,
            longest=float(np.sqrt(max(old.graph_squares.max(initial=0.0), squares.max()))),
        )


_BATCH = 4096
"""Items embedded per run of the item tower."""
