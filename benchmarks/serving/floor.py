"""The bare parts of one request in one process: libraries only, nothing of ours.

In: the world's vectors, a Redis client, a Kafka producer. Out: callables that `measure` times, part by part and whole.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import hnswlib
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from benchmarks.harness.rounds import Arm
from benchmarks.serving.nets import HEAVY, ITEM_COLUMNS, LIGHT, USER_COLUMNS

SEED = 13
SLATE, CUT = 20, 500
MMR_LAMBDA = 0.97
ROW_COLUMNS = 128
"""float16 numbers of a packed row: 256 bytes; the nets' columns are the first ones."""

SIGNALS = 8
RECORD_BYTES = 10_240
TOPIC = "floor"
NEIGHBOURS, BUILD_BREADTH = 16, 200

_DIFFERENT = 50
"""Users whose rows are read in turn where a part is timed alone, so that caches are as cold as within a request."""

F16 = NDArray[np.float16]
F32 = NDArray[np.float32]


def build_index(vectors: F32, threads: int) -> Any:
    """Return hnswlib's graph over the vectors: inner product, M 16, efConstruction 200."""
    index = hnswlib.Index("ip", vectors.shape[1])
    index.init_index(len(vectors), M=NEIGHBOURS, ef_construction=BUILD_BREADTH, random_seed=SEED)
    index.add_items(vectors, np.arange(len(vectors)), num_threads=threads)
    index.set_num_threads(1)
    return index


def packed_rows(count: int) -> F16:
    """Return float16 [count, 128]: the rows that stand in the store and in the matrix."""
    return np.random.default_rng(SEED).normal(size=(count, ROW_COLUMNS)).astype(np.float16)


def keys(count: int) -> list[bytes]:
    """Return the store's keys, by row number."""
    return [b"floor:%d" % n for n in range(count)]


def session(path: Path) -> onnxruntime.InferenceSession:
    """Open a net on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])


async def fill(redis: Any, rows: F16) -> None:
    """Write the rows to the store."""
    names = keys(len(rows))
    for start in range(0, len(rows), 2000):
        part = range(start, min(start + 2000, len(rows)))
        await redis.mset({names[n]: rows[n].tobytes() for n in part})


class Floor:
    """One request's bare parts for a number of candidates; users come one after the other.

    Args:
        candidates: How many neighbours are searched, read and scored.
        index: What `build_index` returned.
        vectors: float32 [n, 64], for the diversity step.
        user_vectors: float32 [users, 64], the queries.
        rows: What `packed_rows` returned.
        redis: A `redis.asyncio` client, or None where nothing reads from the store.
        producer: A started `AIOKafkaProducer`, or None where nothing is sent.
    """

    def __init__(
        self,
        candidates: int,
        index: Any,
        vectors: F32,
        user_vectors: F32,
        rows: F16,
        redis: Any,
        producer: Any,
    ) -> None:
        self._candidates, self._index, self._vectors, self._rows = candidates, index, vectors, rows
        self._redis, self._producer = redis, producer
        self._keys = keys(len(rows))
        self._users = itertools.cycle(user_vectors)
        self._light, self._heavy = session(LIGHT), session(HEAVY)
        rng = np.random.default_rng(SEED)
        self._signals = rng.normal(size=(candidates, SIGNALS)).astype(np.float32)
        self._weights = np.ones(4, np.float32)
        self._position = np.ones(1, np.float32)
        self._record = rng.bytes(RECORD_BYTES)

    def neighbours(self) -> NDArray[np.int64]:
        """Search the graph for the next user; ef = k."""
        self._index.set_ef(self._candidates)
        labels, _ = self._index.knn_query(next(self._users).reshape(1, -1), k=self._candidates, num_threads=1)
        found: NDArray[np.int64] = labels[0].astype(np.int64)
        return found

    async def stored(self, labels: NDArray[np.int64]) -> F16:
        """Read the candidates' rows and one more, the user's, with one MGET."""
        names = self._keys
        values = await self._redis.mget([names[n] for n in labels] + [names[0]])
        return np.frombuffer(b"".join(values), np.float16).reshape(-1, ROW_COLUMNS)

    def gathered(self, labels: NDArray[np.int64]) -> F16:
        """Take the same rows from a matrix in this process."""
        rows: F16 = self._rows[np.append(labels, 0)]
        return rows

    def pre_scores(self, rows: F16) -> F32:
        """Run the light net over every candidate."""
        feeds = {
            "user": rows[-1:, :USER_COLUMNS],
            "items": np.ascontiguousarray(rows[:-1, :ITEM_COLUMNS]),
            "signals": self._signals,
        }
        scores: F32 = self._light.run(None, feeds)[0]
        return scores

    def heads(self, rows: F16, kept: NDArray[np.int64]) -> F32:
        """Run the heavy net over the candidates that were kept."""
        feeds = {
            "user": rows[-1:, :USER_COLUMNS],
            "items": np.ascontiguousarray(rows[kept, :ITEM_COLUMNS]),
            "signals": self._signals[kept],
            "position": self._position,
        }
        heads: F32 = self._heavy.run(None, feeds)[0]
        return heads

    def slate(self, heads: F32, labels: NDArray[np.int64]) -> list[int]:
        """Weigh the heads, sort, and choose 20 by maximal marginal relevance."""
        utility = heads @ self._weights
        order = np.argsort(-utility, kind="stable")
        vectors, value = self._vectors[labels[order]], MMR_LAMBDA * utility[order]
        nearest = np.full(len(order), -np.inf, np.float32)
        chosen = [0]
        while len(chosen) < SLATE:
            np.maximum(nearest, vectors @ vectors[chosen[-1]], out=nearest)
            marginal = value - (1 - MMR_LAMBDA) * nearest
            marginal[chosen] = -np.inf
            chosen.append(int(marginal.argmax()))
        return chosen

    async def send(self) -> None:
        """Append one record and wait until it is acknowledged."""
        await self._producer.send_and_wait(TOPIC, self._record)

    async def whole(self, *, from_store: bool) -> None:
        """Run every part once, one after the other; floor 1 reads from the store, floor 2 from the matrix."""
        labels = self.neighbours()
        rows = await self.stored(labels) if from_store else self.gathered(labels)
        kept = np.argsort(-self.pre_scores(rows), kind="stable")[:CUT]
        self.slate(self.heads(rows, kept), labels[kept])
        await self.send()

    def parts(self) -> Mapping[str, Arm]:
        """Return each part alone, by its name in the tables, in the order of a request."""
        labels = self.neighbours()
        rows = self.gathered(labels)
        kept = np.argsort(-self.pre_scores(rows), kind="stable")[:CUT]
        heads = self.heads(rows, kept)
        several = itertools.cycle([self.neighbours() for _ in range(_DIFFERENT)])
        n = self._candidates
        return {
            f"ANN, k = ef = {n:,}": self.neighbours,
            f"MGET of {n + 1:,} rows": lambda: self.stored(next(several)),
            f"gather of {n + 1:,} rows": lambda: self.gathered(next(several)),
            f"light net, {n:,} rows": lambda: self.pre_scores(rows),
            f"heavy net, {CUT} rows": lambda: self.heads(rows, kept),
            f"utility, sort, MMR {SLATE} of {CUT}": lambda: self.slate(heads, labels[kept]),
            "send_and_wait of 10 KB": self.send,
        }
