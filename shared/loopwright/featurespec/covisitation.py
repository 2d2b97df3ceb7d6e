"""Item-to-item co-visitation: engagements in, a graph of nearest items and scores along it out.

A pure function of per-user sets of engaged items: any order of events and any repetition gives the same graph.
Retrieval keeps it from the log; the trainer builds it from a replay.
"""

from __future__ import annotations

import hashlib
from array import array
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loopwright.domain.enums import ENGAGEMENTS, NEGATIVE_ACTIONS
from loopwright.domain.vectors import F32, F64, I64, U64, Bools
from loopwright.featurespec.facts import SATISFYING

I32 = NDArray[np.int32]
_ENGAGED, _LIKED, _NEGATIVE = 1, 2, 4
_LIKED_TENTHS = 10


@dataclass(frozen=True, slots=True)
class Pairs:
    """Who engaged with what, distinct pairs: users int64 [n] (any numbering), item_ids uint64 [n], liked bool [n]."""

    users: I64
    item_ids: U64
    liked: Bools


class Engagements:
    """The fold: flags per (subject, item) that only ever grow, hence free of order and of repetition."""

    def __init__(self) -> None:
        self._users: dict[bytes, int] = {}
        self._rows: list[dict[int, int]] = []
        self._user = array("q")
        self._item = array("Q")
        self._flags = array("B")

    def __len__(self) -> int:
        return len(self._flags)

    def add(self, subject: bytes, item_id: int, kind: int, liked: bool) -> bool:
        """Fold one action in; True when a flag of the pair was raised.

        Args:
            subject: 16 bytes, the user.
            item_id: uint64 item.
            kind: An `ActionKind`.
            liked: Whether the action counts as satisfaction.
        """
        raised = _ENGAGED if kind in ENGAGEMENTS else 0
        raised |= _LIKED if raised and (liked or kind in SATISFYING) else 0
        raised |= _NEGATIVE if kind in NEGATIVE_ACTIONS else 0
        if not raised:
            return False
        user = self._users.setdefault(subject, len(self._users))
        if user == len(self._rows):
            self._rows.append({})
        row = self._rows[user].get(item_id)
        if row is None:
            self._rows[user][item_id] = len(self._flags)
            self._user.append(user)
            self._item.append(item_id)
            self._flags.append(raised)
            return True
        before = self._flags[row]
        self._flags[row] = before | raised
        return (before | raised) != before

    def snapshot(self) -> Pairs:
        """Return a copy of the pairs that are engaged and not negative; cheap enough for the event loop."""
        flags = np.frombuffer(self._flags.tobytes(), dtype=np.uint8)
        keep = (flags & (_ENGAGED | _NEGATIVE)) == _ENGAGED
        return Pairs(
            users=np.frombuffer(self._user.tobytes(), dtype=np.int64)[keep],
            item_ids=np.frombuffer(self._item.tobytes(), dtype=np.uint64)[keep],
            liked=(flags[keep] & _LIKED) != 0,
        )


@dataclass(frozen=True, slots=True)
class GraphSettings:
    """How the graph is built.

    Attributes:
        unliked_tenths: strength, in tenths of a like, of an item that was engaged with and not liked.
        supporters: nearest items kept per item.
        shrink: added to the cosine's denominator, in squared likes; damps pairs of rare items.
        max_user_items: items of one user that count, those of the lowest ids (ids are hashes, so a uniform sample);
            bounds the quadratic cost of a user who touched everything.
    """

    unliked_tenths: int = 3
    supporters: int = 50
    shrink: float = 0.0
    max_user_items: int = 2000


GRAPH = GraphSettings()
"""Chosen on validation NDCG@10 of the `user80` split of MovieLens-100k."""


@dataclass(frozen=True, slots=True)
class Graph:
    """Which items speak for which: for row h, `targets[starts[h]:starts[h + 1]]` are the rows h supports.

    Attributes:
        item_ids: uint64 [n], ascending.
        starts: int64 [n + 1].
        targets: int32 [edges], ascending within a row.
        weights: float32 [edges], cosine; h supports i when h is among i's nearest.
    """

    item_ids: U64
    starts: I64
    targets: I32
    weights: F32

    def rows_of(self, item_ids: U64) -> I64:
        """Return int64 [m]: the row of each id, -1 where the graph lacks it."""
        if not len(self.item_ids):
            return np.full(len(item_ids), -1, dtype=np.int64)
        place = np.minimum(np.searchsorted(self.item_ids, item_ids), len(self.item_ids) - 1)
        return np.where(self.item_ids[place] == item_ids, place, -1).astype(np.int64)

    def digest(self) -> str:
        """Return the hex sha256 of the contents."""
        digest = hashlib.sha256()
        for part in (self.item_ids, self.starts, self.targets, self.weights):
            digest.update(np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()


def empty_graph() -> Graph:
    """Return the graph of nobody."""
    return Graph(np.zeros(0, np.uint64), np.zeros(1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.float32))


def build_graph(pairs: Pairs, settings: GraphSettings = GRAPH) -> Graph:
    """Return the graph of cosines between items' columns of engagement strengths, cut to the nearest per item.

    Strengths are integers (tenths), so every dot product is exact and the order of users cannot matter; ties at
    the cut go to the lower item id.
    Cosine of item columns: Sarwar et al. 2001, "Item-based collaborative filtering recommendation algorithms".
    """
    from scipy.sparse import csr_array  # only the extras `retrieval` and `trainer` bring scipy

    if not len(pairs.users):
        return empty_graph()
    order = np.lexsort((pairs.item_ids, pairs.users))
    users, ids = pairs.users[order], pairs.item_ids[order]
    strength = np.where(pairs.liked[order], _LIKED_TENTHS, settings.unliked_tenths).astype(np.int64)
    firsts = np.flatnonzero(np.r_[True, users[1:] != users[:-1]])
    lengths = np.diff(np.r_[firsts, len(users)])
    counted = np.arange(len(users)) - np.repeat(firsts, lengths) < settings.max_user_items
    rows = np.repeat(np.arange(len(firsts)), lengths)[counted]
    item_ids, items = np.unique(ids[counted], return_inverse=True)
    n, strength = len(item_ids), strength[counted]
    engaged = csr_array((strength, (rows, items)), shape=(len(firsts), n))
    columns = csr_array(engaged.T)
    norms = np.bincount(items, weights=strength.astype(np.float64) ** 2, minlength=n).astype(np.float64)
    supporters: list[I32] = []
    weights: list[F32] = []
    for start in range(0, n, _BLOCK):
        block = csr_array(columns[start : start + _BLOCK] @ engaged)
        for offset in range(block.shape[0]):
            row = slice(block.indptr[offset], block.indptr[offset + 1])
            near, cosine = _nearest(start + offset, block.indices[row], block.data[row], norms, settings)
            supporters.append(near)
            weights.append(cosine)
    return _transposed(item_ids, supporters, weights)


_BLOCK = 512
"""Rows of the product held at once."""


def _nearest(item: int, others: I32, dots: I64, norms: F64, settings: GraphSettings) -> tuple[I32, F32]:
    keep = (others != item) & (dots > 0)
    others = others[keep]
    shrink = settings.shrink * _LIKED_TENTHS**2
    cosine = (dots[keep] / (np.sqrt(norms[item] * norms[others]) + shrink)).astype(np.float32)
    k = settings.supporters
    if len(cosine) > k:
        near = cosine >= np.partition(cosine, len(cosine) - k)[len(cosine) - k]
        others, cosine = others[near], cosine[near]
    best = np.lexsort((others, -cosine))[:k]
    return others[best].astype(np.int32), cosine[best]


def _transposed(item_ids: U64, supporters: list[I32], weights: list[F32]) -> Graph:
    n = len(item_ids)
    targets = np.repeat(np.arange(n, dtype=np.int32), [len(near) for near in supporters])
    sources, weight = np.concatenate(supporters), np.concatenate(weights)
    order = np.lexsort((targets, sources))
    starts = np.searchsorted(sources[order], np.arange(n + 1)).astype(np.int64)
    return Graph(item_ids, starts, targets[order], weight[order])


@dataclass(frozen=True, slots=True)
class GraphScores:
    """What a history says of the items it speaks for, float32 [n] each; of all others it says 0.

    Attributes:
        item_ids: uint64 [n], which items; ascending from `graph_scores`.
        total: sum over the history of weight times cosine.
        flat: the same with weight 1 for liked items and 0 for the others.
        best: largest single weight times cosine.
    """

    item_ids: U64
    total: F32
    flat: F32
    best: F32


def graph_scores(graph: Graph, item_ids: U64, weights: F32, liked: Bools) -> GraphScores:
    """Return the scores that a history gives along the graph.

    Args:
        graph: The graph.
        item_ids: uint64 [m], the history; items the graph lacks add nothing.
        weights: float32 [m], its weights.
        liked: bool [m], which of them were liked.
    """
    rows = graph.rows_of(item_ids)
    known = rows >= 0
    rows = rows[known]
    counts = graph.starts[rows + 1] - graph.starts[rows]
    ends = np.cumsum(counts)
    edges = np.arange(int(counts.sum())) + np.repeat(graph.starts[rows] - (ends - counts), counts)
    targets = graph.targets[edges]
    reached = np.zeros(len(graph.item_ids), dtype=np.bool_)
    reached[targets] = True
    supported = np.flatnonzero(reached)
    # Read only where it is written: a history reaches few of all items.
    numbers = np.empty(len(reached), dtype=np.int64)
    numbers[supported] = np.arange(len(supported))
    places = numbers[targets]
    cosine = graph.weights[edges].astype(np.float64)
    weighted = cosine * np.repeat(weights[known].astype(np.float64), counts)
    flat = cosine * np.repeat(liked[known].astype(np.float64), counts)
    best = np.zeros(len(supported))
    np.maximum.at(best, places, weighted)
    return GraphScores(
        item_ids=graph.item_ids[supported],
        total=np.bincount(places, weights=weighted, minlength=len(supported)).astype(np.float32),
        flat=np.bincount(places, weights=flat, minlength=len(supported)).astype(np.float32),
        best=best.astype(np.float32),
    )


def scores_of(scores: GraphScores, candidates: U64) -> GraphScores:
    """Return what `scores` say of the candidates, in their order."""
    if not len(scores.item_ids):
        zeros = np.zeros(len(candidates), dtype=np.float32)
        return GraphScores(candidates, zeros, zeros, zeros)
    places = np.minimum(np.searchsorted(scores.item_ids, candidates), len(scores.item_ids) - 1)
    rows = np.flatnonzero(scores.item_ids[places] == candidates)
    places = places[rows]
    columns = np.zeros((3, len(candidates)), dtype=np.float32)
    for column, said in zip(columns, (scores.total, scores.flat, scores.best), strict=True):
        column[rows] = said[places]
    return GraphScores(candidates, *columns)
