"""Rebuilds what the projector keeps from the log alone, into a clean namespace, and compares it with the live rows.

`loopwright replay`, the demo and tests call it with the live log and store. The live projector is parked only while its
rows are read, and resumes whatever happens.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from loopwright.eventlog import ITEM_ROWS, EventLog, Offsets
from loopwright.faults import DeadlineExceeded, FieldViolation, InvalidRequest
from loopwright.featurespec.groups import ITEM_STATE_GROUPS
from loopwright.featurespec.table import ItemTable
from loopwright.lifecycle import ReadinessView, wait_folded
from loopwright.modelstore import ModelStore
from loopwright.modelstore.models import TwoTower, index_epoch, open_two_tower
from loopwright.projector.parking import SOURCES, Parked, park, parked, unpark
from loopwright.projector.redis_store import open_redis_store
from loopwright.projector.replay import ReplayFold
from loopwright.projector.store import ITEM_PREFIX, Hashes, StateStore, hashes
from loopwright.rpc import Deadline

PARKED_WITHIN_S = 300.0
"""A projector that is far behind has to fold up to the offsets first."""

LOOK_EVERY_S = 0.05
STORE_TIMEOUT_S = 30.0
Told = Callable[[str, float], None]
"""Told a step's name and its share done, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Side:
    """One side of the comparison; `index` is the hash of a two-tower index over its item rows, "" without a model."""

    hashes: Hashes
    index: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a replay came to.

    Attributes:
        offsets: Where both sides stand, by source topic and partition.
        live: The live rows; None when the live projector had passed the offsets asked for.
        fresh: The rows folded from the log.
        serving_index: Hash of the index that answers requests, "" when it was not asked for.
        records: Records folded.
        duplicates: Records and facts that had been folded before.
        late: Records older than the dedup window.
    """

    offsets: Offsets
    live: Side | None
    fresh: Side
    serving_index: str
    records: int
    duplicates: int
    late: int

    @property
    def differences(self) -> tuple[str, ...]:
        """What is not equal on both sides; meaningless when there was nothing to compare with."""
        if self.live is None:
            return ()
        one, other = self.live, self.fresh
        pairs = {
            "user rows": (one.hashes.users, one.hashes.user_rows) == (other.hashes.users, other.hashes.user_rows),
            "item rows": (one.hashes.items, one.hashes.item_rows) == (other.hashes.items, other.hashes.item_rows),
            "index contents": one.index == other.index,
            "serving index": self.serving_index in ("", other.index),
        }
        return tuple(name for name, equal in pairs.items() if not equal)


@asynccontextmanager
async def replay_stores(redis_url: str) -> AsyncIterator[tuple[StateStore, StateStore]]:
    """Open the live store and an empty one beside it, which is removed on leaving."""
    namespace = f"fresh-{uuid.uuid4().hex[:12]}:"
    async with (
        open_redis_store(redis_url, timeout_s=STORE_TIMEOUT_S) as live,
        open_redis_store(redis_url, namespace, timeout_s=STORE_TIMEOUT_S) as fresh,
    ):
        try:
            yield live, fresh
        finally:
            await fresh.clear()


async def replay_into(
    log: EventLog,
    live: StateStore,
    fresh: StateStore,
    *,
    models: ModelStore,
    two_tower: str = "",
    offsets: Offsets | None = None,
    serving_epoch: Callable[[], Awaitable[str]] | None = None,
    batch: int = 2000,
    told: Told = lambda step, share: None,
) -> Comparison:
    """Fold the log up to some offsets into `fresh` and compare it with `live` at the same offsets.

    Args:
        log: The event log.
        live: Where the running projector keeps its rows.
        fresh: An empty store.
        models: Where the two-tower model lies.
        two_tower: Version whose index contents are compared; "": none.
        offsets: Of the source topics; a place left out, or None: the ends at the start. Without any, facts that the
            projector folded while it was being parked are part of both sides.
        serving_epoch: Asks the running mesh for the hash of the index that answers.
        batch: Most records folded in one step.
        told: Progress.

    Raises:
        InvalidRequest: An offset lies past the end of its partition.
        DeadlineExceeded: The projector did not park; it runs on.
        OffsetGone: Retention has deleted records of a source topic.
        ModelRejected: The two-tower model is not whole.
    """
    ends = await log.ends(SOURCES)
    wanted = checked_offsets(offsets or {}, ends)
    tower = await asyncio.to_thread(open_two_tower, models, two_tower) if two_tower else None
    told("parking the live projector", 0.0)
    side: Side | None = None
    epoch = ""
    try:
        await park(live, wanted)
        stand = await _standing(live, Deadline.after(PARKED_WITHIN_S))
        if stand.exact or not offsets:
            wanted = {**wanted, **stand.offsets}
            side = await _side(live, tower)
            if serving_epoch is not None and tower is not None:
                epoch = await _serving(log, serving_epoch)
    finally:
        await unpark(live)
    told("parking the live projector", 1.0)
    fold = ReplayFold(log, fresh)
    folded = await fold.run(wanted, batch=batch, on_progress=lambda share: told("folding the log", share))
    return Comparison(
        offsets=wanted,
        live=side,
        fresh=await _side(fresh, tower),
        serving_index=epoch,
        records=folded.records,
        duplicates=folded.duplicates,
        late=folded.late,
    )


def checked_offsets(offsets: Offsets, ends: Offsets) -> Offsets:
    """Return an offset for every place of the source topics, the end where none is given.

    Raises:
        InvalidRequest: A place is no source topic's partition, or its offset lies past the end.
    """
    for (topic, partition), offset in offsets.items():
        end = ends.get((topic, partition))
        if end is None or offset > end:
            rule = "must be a partition of a source topic" if end is None else f"must be at most {end}, the end"
            raise InvalidRequest(violations=[FieldViolation(f"{topic}/{partition}", "offset", rule)])
    return ends | offsets


async def _standing(live: StateStore, deadline: Deadline) -> Parked:
    while not deadline.expired:
        found = await parked(live)
        if found is not None:
            return found
        await asyncio.sleep(LOOK_EVERY_S)
    raise DeadlineExceeded("the live projector did not park: is it running?")


async def _side(store: StateStore, tower: TwoTower | None) -> Side:
    return Side(await hashes(store), await index_of(store, tower) if tower is not None else "")


async def index_of(store: StateStore, tower: TwoTower) -> str:
    """Return the hash of what an index of this model over the store's item rows holds."""
    states: list[tuple[int, str, bytes]] = []
    async for key, fields in store.scan(ITEM_PREFIX):
        item = int(key.rpartition(":")[2])
        states += [(item, group, fields[group]) for group in ITEM_STATE_GROUPS if group in fields]
    table = ItemTable()
    table.put_many(states)
    return index_epoch(tower.version, tower.vocabulary, tower.content_width, table)


async def _serving(log: EventLog, serving_epoch: Callable[[], Awaitable[str]]) -> str:
    """Return the epoch of the index that answers, once retrieval has folded every row there is."""
    async with ReadinessView(log) as view:
        await wait_folded(view, "retrieval", "mirror", await log.ends([ITEM_ROWS]), Deadline.after(PARKED_WITHIN_S))
    return await serving_epoch()
