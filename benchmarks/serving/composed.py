"""The same services in one process over a log in memory, with the benchmark's world in them."""

from __future__ import annotations

import itertools
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from benchmarks.harness.rounds import Arm
from benchmarks.serving.asking import GRANTED_S
from benchmarks.serving.bundles import SIZES, SLATE, Size, bundle
from benchmarks.serving.models import put_models
from benchmarks.serving.world import World
from loopwright.api.common.v1 import decision_pb2
from loopwright.api.recommender.v1 import recommender_service_pb2 as pb
from loopwright.bundle import canonical_json, policy_version
from loopwright.domain.enums import ActionKind
from loopwright.ingest.rows import InteractionRow, ItemRow, Receipt
from loopwright.lifecycle.development_keys import DEVELOPMENT_SUBJECT_KEY
from loopwright.localmesh.composition import OneProcess, one_process
from loopwright.pipeline.convert.request import request_from_proto
from loopwright.rpc import Deadline

BATCH = 2000
SETTLED_WITHIN_S = 400.0
LIKE_AT = 4

Row = TypeVar("Row")


@asynccontextmanager
async def populated_process(folder: Path, world: World) -> AsyncIterator[OneProcess]:
    """Run the composition with catalogue, ratings, models and both policies."""
    async with one_process(folder) as mesh:
        intake = mesh.ingest.intake
        await _sent(item_rows(world), intake.items)
        await _sent(rating_rows(world), lambda rows, deadline: intake.interactions(rows, "", deadline))
        await mesh.settle(Deadline.after(SETTLED_WITHIN_S))
        pins = put_models(mesh.models, world)
        for size in SIZES:
            wanted = bundle(size, pins)
            document = canonical_json(wanted).decode()
            await mesh.policy.publish(document, actor="benchmark", reason="", deadline=Deadline.after(GRANTED_S))
        await mesh.settle(Deadline.after(SETTLED_WITHIN_S))
        for size in SIZES:
            version = policy_version(bundle(size, pins))
            await mesh.policy.activate(
                size.surface, version, "", actor="benchmark", reason="", deadline=Deadline.after(GRANTED_S)
            )  # fmt: skip
        await mesh.settle(Deadline.after(SETTLED_WITHIN_S))
        yield mesh


def recommending(mesh: OneProcess, size: Size, users: int, degraded: Counter[str]) -> Arm:
    """Return what decides the next user's request, its parsing included; `degraded` counts why answers were."""
    numbers, key = itertools.cycle(range(users)), DEVELOPMENT_SUBJECT_KEY.encode()

    async def recommend() -> None:
        message = pb.RecommendRequest(
            request_id=uuid.uuid4().hex,
            user_id=World.user_name(next(numbers)),
            surface=size.surface,
            session_id="benchmark",
            k=SLATE,
            locale="en",
            purpose=decision_pb2.PURPOSE_SERVE,
        )
        answer = await mesh.recommend(request_from_proto(message, key), Deadline.after(GRANTED_S))
        if answer.degradations:
            first = answer.degradations[0]
            degraded[f"{first.stage.name} {first.reason.name} {first.subject}".lower().strip()] += 1

    return recommend


def item_rows(world: World) -> list[ItemRow]:
    """Return the catalogue."""
    return [
        ItemRow(
            external_id=world.item_name(n),
            title=f"Item {n}",
            tags=world.item_tags(n),
            creator=f"creator-{world.creators[n]}",
            published_at_ms=int(world.published_s[n]) * 1000,
            locale="en",
            text="",
            occurred_at_ms=None,
        )
        for n in range(len(world.vectors))
    ]


def rating_rows(world: World) -> list[InteractionRow]:
    """Return the ratings, oldest first."""
    return [
        InteractionRow(
            user_id=world.user_name(row.user),
            item_id=world.item_name(row.item),
            kind=ActionKind.RATE,
            value=float(row.value),
            liked=row.value >= LIKE_AT,
            client_event_id=f"{number:08}",
            occurred_at_ms=row.time_s * 1000,
        )
        for number, row in enumerate(world.ratings())
    ]


async def _sent(rows: Sequence[Row], send: Callable[[Sequence[Row], Deadline], Awaitable[Receipt]]) -> None:
    for start in range(0, len(rows), BATCH):
        receipt = await send(rows[start : start + BATCH], Deadline.after(SETTLED_WITHIN_S))
        if receipt.refused:
            raise RuntimeError(f"rows were refused: {receipt.refused[0]}")
