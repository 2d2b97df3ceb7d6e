"""Stages that make up their data from a seed: for tests of what stands around the stages, never for serving."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from loopwright.domain.ids import item_id
from loopwright.faults import Fault
from loopwright.pipeline.answer import Answer
from loopwright.pipeline.record import DecisionRecord
from loopwright.pipeline.types import (
    CandidateSet,
    CrossContext,
    Degradation,
    History,
    ItemColumns,
    ItemQuery,
    RetrievalQuery,
    ScoreQuery,
    Scores,
    SourceReport,
    UserContext,
    UserQuery,
)
from loopwright.rpc import Deadline

NOBODY = CrossContext(
    taste=np.zeros(16, np.float32),
    tag_ids=np.zeros(0, np.uint64),
    tag_weights=np.zeros(0, np.float32),
    creator_ids=np.zeros(0, np.uint64),
    creator_weights=np.zeros(0, np.float32),
    statistics=np.zeros(0, np.float32),
    locale="",
)
"""What is known of a user of whom nothing is known."""

NO_HISTORY = History(
    item_ids=np.zeros(0, np.uint64),
    kinds=np.zeros(0, np.uint8),
    values=np.zeros(0, np.float32),
    ages_s=np.zeros(0, np.uint32),
)


@dataclass(slots=True)
class FakeWorld:
    """A catalogue of `size` items `i0`, `i1`, ... and one user; implements the hydration, retrieval and rank stages.

    Attributes:
        size: Candidates that retrieval proposes.
        seed: Seed of all values.
        seen: Ids the user acted on.
        stored_answer: What hydration finds under the request id.
        fails: Fault raised by a stage, by method name.
        degradations: What hydration says of the user row.
        asked: Queries in the order in which they came.
    """

    size: int = 60
    seed: int = 1
    seen: tuple[int, ...] = ()
    stored_answer: bytes = b""
    fails: dict[str, Fault] = field(default_factory=dict)
    degradations: tuple[Degradation, ...] = ()
    asked: list[object] = field(default_factory=list)

    def _enter(self, method: str, query: object) -> np.random.Generator:
        self.asked.append(query)
        if method in self.fails:
            raise self.fails[method]
        return np.random.Generator(np.random.PCG64([self.seed, len(method)]))

    async def user_context(self, query: UserQuery, deadline: Deadline) -> UserContext:
        """Return the one user."""
        rng = self._enter("user_context", query)
        none = np.zeros(0, np.uint64)
        return UserContext(
            columns=rng.normal(size=8).astype(np.float16),
            group_ages_s=np.zeros(len(query.groups), np.uint32),
            group_mask=np.zeros(len(query.groups), np.uint8),
            history=NO_HISTORY,
            cross=NOBODY,
            acted=np.array(self.seen, np.uint64),
            viewed=none,
            blocked_items=none,
            blocked_creators=none,
            recent=none,
            stored_answer=self.stored_answer if query.request_id else b"",
            degradations=self.degradations,
        )

    async def retrieve(self, query: RetrievalQuery, deadline: Deadline) -> CandidateSet:
        """Return the catalogue, in a seeded order, every item credited to the first planned source."""
        rng = self._enter("retrieve", query)
        ids = np.array([item_id(f"i{i}") for i in range(self.size)], np.uint64)
        ranks = np.zeros((self.size, len(query.sources)), np.uint16)
        ranks[:, 0] = np.arange(1, self.size + 1)
        reports = tuple(
            SourceReport(plan.source, self.size if i == 0 else 0, 100, False, "")
            for i, plan in enumerate(query.sources)
        )
        return CandidateSet(
            item_ids=ids[rng.permutation(self.size)],
            fused_scores=np.linspace(1, 0, self.size, dtype=np.float32),
            source_ranks=ranks,
            source_scores=ranks.astype(np.float32),
            signals=rng.normal(size=(self.size, 2)).astype(np.float32),
            signal_names=("two_tower", "co_visitation"),
            reports=reports,
            index_epoch="epoch",
        )

    async def item_columns(self, query: ItemQuery, deadline: Deadline) -> ItemColumns:
        """Return seeded columns; creators and tags repeat every seven and five items."""
        rng = self._enter("item_columns", query)
        n = len(query.item_ids)
        names = {item_id(f"i{i}"): f"i{i}" for i in range(self.size)}
        content = rng.normal(size=(n, 16))
        return ItemColumns(
            columns=rng.normal(size=(n, 12)).astype(np.float16),
            group_ages_s=np.zeros((n, len(query.groups)), np.uint32),
            group_mask=np.zeros((n, len(query.groups)), np.uint8),
            creator_ids=np.arange(n, dtype=np.uint64) % np.uint64(7),
            first_tag_ids=np.arange(n, dtype=np.uint64) % np.uint64(5),
            eligibility=np.zeros(n, np.uint8),
            content=(content / np.linalg.norm(content, axis=1, keepdims=True)).astype(np.float16),
            external_ids=tuple(names[int(i)] for i in query.item_ids),
            degradations=(),
        )

    async def score(self, query: ScoreQuery, deadline: Deadline) -> Scores:
        """Return seeded scores of two heads."""
        rng = self._enter("score", query)
        pre = rng.normal(size=len(query.item_ids)).astype(np.float32)
        best = np.lexsort((query.item_ids, -pre))[: query.best_n].astype(np.uint32)
        heads = rng.random((len(best), 2)).astype(np.float32)
        return Scores(pre, best, heads, ("engage", "satisfied"))


@dataclass(slots=True)
class FakeLedger:
    """A ledger that keeps what it is given, or refuses."""

    fault: Fault | None = None
    records: list[DecisionRecord] = field(default_factory=list)

    async def record(self, record: DecisionRecord, answer: Answer, deadline: Deadline) -> Answer:
        """Keep the record and return the answer unchanged."""
        if self.fault is not None:
            raise self.fault
        self.records.append(record)
        return answer
