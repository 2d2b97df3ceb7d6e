"""A clock that stands still, rows in memory and in a real store, and a small catalogue in a mirror."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any

import numpy as np
import pytest
from redis.asyncio import Redis

from loopwright.api.events.v1.catalog_pb2 import InventoryChanged, ItemUpserted
from loopwright.api.events.v1.feedback_pb2 import OrganicInteraction
from loopwright.api.events.v1.policy_pb2 import PolicyPublished
from loopwright.api.events.v1.profile_pb2 import CreatorBlocked
from loopwright.api.events.v1.projection_pb2 import ItemRowFolded
from loopwright.bundle import PolicyBundle, canonical_json, policy_version
from loopwright.domain.enums import ActionKind
from loopwright.domain.ids import event_id, item_id, item_key, name_id
from loopwright.eventlog import ITEM_ROWS, POLICIES, Event, MemoryBroker, MemoryEventLog, make_event
from loopwright.featurespec.facts import FactBatch
from loopwright.featurespec.folds.catalog import fold_catalog
from loopwright.featurespec.folds.users import UserFold
from loopwright.featurespec.table import ItemTable
from loopwright.hydration.items import ItemSide
from loopwright.hydration.lag import Progress
from loopwright.hydration.rows import RedisRows, UserRow
from loopwright.hydration.users import UserSide
from loopwright.lifecycle import FixedClock
from loopwright.mirror import ItemMirror
from loopwright.rpc import Deadline
from loopwright.store.client import StoreClient, open_store
from loopwright.store.connection import open_redis

NOW_MS = 1_700_000_000_000
DAY_MS = 86_400_000
SUBJECT = bytes(range(16))
CLOCK = FixedClock(NOW_MS)
ItemStates = list[tuple[int, str, bytes]]


class Wall:
    """Wall time in milliseconds."""

    def __init__(self) -> None:
        self.ms = NOW_MS

    def __call__(self) -> int:
        return self.ms


class MemoryRows:
    """Rows that a test sets, counting the exchanges; `fault` stands for a store that is away."""

    def __init__(self) -> None:
        self.row = UserRow()
        self.states: dict[int, ItemStates] = {}
        self.stages: dict[str, int] = {}
        self.fault: Exception | None = None
        self.calls: list[str] = []
        self.asked: dict[str, Any] = {}

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if self.fault is not None:
            raise self.fault

    async def user(self, subject: bytes, **asked: Any) -> UserRow:
        self.asked = {"subject": subject, **asked}
        self._call("user")
        return self.row

    async def items(self, item_ids: Any, deadline: Deadline) -> ItemStates:
        self._call("items")
        return [state for item in item_ids for state in self.states.get(item, [])]

    async def progress(self, stages: Any, deadline: Deadline) -> dict[str, int]:
        self._call("progress")
        return dict(self.stages)


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def memory_rows() -> MemoryRows:
    return MemoryRows()


@pytest.fixture
def deadline() -> Deadline:
    return Deadline.after(5.0)


@pytest.fixture
def namespace() -> str:
    return f"{uuid.uuid4().hex}:"


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with open_redis(redis_url, 1.0) as client:
        yield client


@pytest.fixture
async def store(redis_url: str) -> AsyncIterator[StoreClient]:
    async with open_store(redis_url, 1.0) as client:
        yield client


@pytest.fixture
def rows(store: StoreClient, wall: Wall, namespace: str) -> RedisRows:
    return RedisRows(store, wall, namespace)


def _event(at_ms: int, **payload: Any) -> Event:
    return make_event(event_id(at_ms, repr(payload)), at_ms, CLOCK, "test", **payload)


def _item_states(
    name: str,
    *,
    tags: tuple[str, ...] = ("drama",),
    creator: str = "ann",
    clicks_ms: tuple[int, ...] = (NOW_MS - DAY_MS,),
    out_of_stock: bool = False,
) -> ItemStates:
    """Return what the projector folds of an item that was clicked at those times."""
    table, item = ItemTable(), item_id(name)
    upserted = ItemUpserted(item_id=item, external_id=name, title=name, tags=tags, creator=creator)
    fold_catalog(table, _event(NOW_MS - 9 * DAY_MS, item_upserted=upserted))
    if out_of_stock:
        sold = InventoryChanged(item_id=item, available=0)
        fold_catalog(table, _event(NOW_MS - DAY_MS, inventory_changed=sold))
    n = len(clicks_ms)
    table.fold_facts(
        FactBatch(
            np.full(n, item, dtype=np.uint64),
            np.full(n, ActionKind.CLICK, dtype=np.uint8),
            np.ones(n, dtype=np.float32),
            np.array(clicks_ms, dtype=np.int64),
        )
    )
    return [(item, group, state) for group, state in table.encode_rows(table.rows_of(_ids(name)))[0].items()]


def _ids(*names: str) -> np.ndarray[Any, np.dtype[np.uint64]]:
    return np.array([item_id(name) for name in names], dtype=np.uint64)


def _user_states(*acts: tuple[str, ActionKind, int], blocked: tuple[str, ...] = ()) -> dict[str, bytes]:
    """Return what the projector folds of a user's acts: item, kind, mesh time."""
    fold = UserFold()
    for name, kind, at_ms in acts:
        taken = OrganicInteraction(
            subject=SUBJECT, item_id=item_id(name), kind=kind.value, value=1.0, liked=kind is ActionKind.LIKE
        )
        fold.apply(_event(at_ms, organic_interaction=taken))
    for creator in blocked:
        fact = CreatorBlocked(subject=SUBJECT, creator_id=name_id(creator))
        fold.apply(_event(NOW_MS - DAY_MS, creator_blocked=fact))
    return fold.encode()


async def _fold_row(log: MemoryEventLog, states: ItemStates) -> None:
    for item, group, state in states:
        row = ItemRowFolded(item_id=item, group_version=group, state=state)
        event = make_event(event_id(item, group, state), NOW_MS, CLOCK, "projector", item_row_folded=row)
        await log.append(ITEM_ROWS, item_key(item) + group.encode(), event, deadline=Deadline.after(5.0))


@pytest.fixture
def item_states() -> Callable[..., ItemStates]:
    return _item_states


@pytest.fixture
def user_states() -> Callable[..., dict[str, bytes]]:
    return _user_states


@pytest.fixture
def ids() -> Callable[..., np.ndarray[Any, np.dtype[np.uint64]]]:
    return _ids


@pytest.fixture
def broker() -> MemoryBroker:
    return MemoryBroker(wall_ms=lambda: NOW_MS)


@pytest.fixture
def fold_row(broker: MemoryBroker) -> Callable[..., Any]:
    log = MemoryEventLog(broker, producer="projector")
    return lambda states: _fold_row(log, states)


@pytest.fixture
async def mirror(broker: MemoryBroker, fold_row: Callable[..., Any]) -> AsyncIterator[ItemMirror]:
    """A mirror of the items a, b and c, c out of stock."""
    await fold_row(_item_states("a"))
    await fold_row(_item_states("b", tags=("comedy", "drama"), creator=""))
    await fold_row(_item_states("c", out_of_stock=True))
    mirror = ItemMirror(MemoryEventLog(broker, producer="hydration"))
    await mirror.start()
    yield mirror
    await mirror.stop()


@pytest.fixture
def progress(wall: Wall) -> Progress:
    progress = Progress(wall)
    progress.note({"users": wall.ms, "items": wall.ms})
    return progress


@pytest.fixture
def user_side(memory_rows: MemoryRows, mirror: ItemMirror, progress: Progress, wall: Wall) -> UserSide:
    memory_rows.row = UserRow(progress_ms={"users": wall.ms, "items": wall.ms})
    return UserSide(memory_rows, mirror.table, progress)


@pytest.fixture
def item_side(memory_rows: MemoryRows, mirror: ItemMirror, progress: Progress, wall: Wall) -> ItemSide:
    memory_rows.stages = {"users": wall.ms, "items": wall.ms}
    return ItemSide(mirror, memory_rows, progress, wall)


@pytest.fixture
def publish(broker: MemoryBroker) -> Callable[[PolicyBundle], Any]:
    """Publish a bundle as the policy service does; returns its version."""
    log = MemoryEventLog(broker, producer="policy")

    async def published(bundle: PolicyBundle) -> str:
        version = policy_version(bundle)
        fact = PolicyPublished(policy_version=version, surface=bundle.surface, canonical=canonical_json(bundle))
        event = make_event(event_id(version), NOW_MS, CLOCK, "policy", surface=bundle.surface, policy_published=fact)
        await log.append(POLICIES, bundle.surface.encode(), event, deadline=Deadline.after(5.0))
        return version

    return published
