"""A small world for meshes in memory: a catalogue, users with a past, a clock that stands, dice that repeat."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np

from loopwright.api.recommender.v1 import recommender_service_pb2 as pb
from loopwright.bundle import PolicyBundle, canonical_json, default_bundle, policy_version, with_models, with_values
from loopwright.domain.enums import ActionKind
from loopwright.featurespec.groups import width
from loopwright.ingest.rows import InteractionRow, ItemRow
from loopwright.lifecycle import FixedClock
from loopwright.lifecycle.development_keys import DEVELOPMENT_SUBJECT_KEY
from loopwright.localmesh.composition import OneProcess, one_process
from loopwright.modelstore import Kind
from loopwright.pipeline.convert.request import request_from_proto
from loopwright.pipeline.types import Request
from loopwright.recommender.front_door import Dice
from loopwright.rpc import Deadline
from tests.tiny_models import put_scorer, put_two_tower

NOW_MS = 1_800_000_000_000
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
ITEMS, USERS = 120, 24
KEY = DEVELOPMENT_SUBJECT_KEY.encode()


def soon(seconds: float = 20.0) -> Deadline:
    return Deadline.after(seconds)


def dice(start: int = 0) -> Dice:
    """Return dice that fall alike in every run."""
    rolled = [start]

    def roll() -> bytes:
        rolled[0] += 1
        return hashlib.sha256(rolled[0].to_bytes(8, "big")).digest()

    return Dice(seed=lambda: int.from_bytes(roll()[:8], "big"), entropy=lambda: roll()[:9])


def catalogue(count: int = ITEMS) -> list[ItemRow]:
    return [
        ItemRow(
            external_id=f"i{n}",
            title=f"Item {n}",
            tags=(f"tag{n % 12}", f"mood{n % 5}"),
            creator=f"creator{n % 30}",
            published_at_ms=NOW_MS - (n + 1) * DAY_MS,
            locale="en",
            text="",
            occurred_at_ms=None,
        )
        for n in range(count)
    ]


def history() -> list[InteractionRow]:
    """Return two weeks of ratings; user u leans to items whose number is u modulo 6."""
    rows = [
        InteractionRow(
            user_id=f"u{user}",
            item_id=f"i{(user + 6 * step + (step % 3)) % (ITEMS - 20)}",
            kind=ActionKind.RATE,
            value=float(3 + (user + step) % 3),
            liked=(user + step) % 3 > 0,
            client_event_id=f"{step:04}",
            occurred_at_ms=NOW_MS - 14 * DAY_MS + step * DAY_MS + user * 60_000,
        )
        for user in range(USERS)
        for step in range(12)
    ]
    return sorted(rows, key=lambda row: (row.occurred_at_ms, row.user_id))


async def populate(mesh: OneProcess) -> None:
    """Bring catalogue and history in, and wait until they are folded."""
    intake = mesh.ingest.intake
    for rows in (await intake.items(catalogue(), soon()), await intake.interactions(history(), "", soon())):
        assert not rows.refused
    await mesh.settle()


@asynccontextmanager
async def populated(folder: Path, clock: FixedClock, seeds: Dice | None = None) -> AsyncIterator[OneProcess]:
    """Run a mesh with catalogue and history on a standing clock."""
    async with one_process(folder, wall_ms=clock.wall_ms, dice=seeds or dice()) as mesh:
        await populate(mesh)
        yield mesh


def message(user: str = "u1", number: int = 1, **fields: Any) -> pb.RecommendRequest:
    """Return a SERVE request for ten items; `fields` replace or add."""
    values: dict[str, Any] = {
        "request_id": f"r{number}",
        "user_id": user,
        "surface": "home",
        "session_id": "s",
        "k": 10,
        "locale": "en",
        "purpose": 1,
    }
    return pb.RecommendRequest(**(values | fields))


def request(user: str = "u1", number: int = 1, **fields: Any) -> Request:
    return request_from_proto(message(user, number, **fields), KEY)


def document(bundle: PolicyBundle) -> str:
    return canonical_json(bundle).decode()


async def activate(mesh: OneProcess, bundle: PolicyBundle) -> str:
    """Publish a bundle, wait until everybody has loaded it, and make it the active one; returns its version."""
    version = policy_version(bundle)
    await mesh.policy.publish(document(bundle), actor="test", reason="", deadline=soon())
    await mesh.settle()
    active = mesh.services.recommender.feed.active("home")
    assert active is not None
    await mesh.policy.activate("home", version, active.version, actor="test", reason="", deadline=soon())
    await mesh.settle()
    return version


def recorded_whole(**values: object) -> PolicyBundle:
    """Return the default bundle with every funnel on record, and other values, dots written as `__`."""
    changes = {name.replace("__", "."): value for name, value in values.items()}
    return with_values(default_bundle(), {"funnel.rate": 1.0, **changes})


def with_tiny_models(mesh: OneProcess, bundle: PolicyBundle, seed: int = 3) -> PolicyBundle:
    """Put models with known arithmetic into the store and pin them."""
    user, item = tuple(bundle.features.user), tuple(bundle.features.item)
    ids = np.sort(mesh.services.hydration.mirror.table.ids)[:80]
    pins = {
        kind.value: put_scorer(mesh.models, kind, width(user), width(item), (*user, *item), seed=seed).model_version
        for kind in (Kind.PRE_RANKER, Kind.RANKER)
    }
    return with_models(bundle, two_tower=put_two_tower(mesh.models, ids, seed=seed).model_version, **pins)
