"""A seeded little world: items, and interactions in the order of their times; as CSV rows and as events of the log."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from google.protobuf.timestamp_pb2 import Timestamp

from loopwright.cli.importing.rows import ItemRow, RatingRow
from loopwright.cli.importing.selection import RANK_DIGITS, Selected
from loopwright.domain.ids import item_id, item_key, subject_of
from loopwright.eventlog import Event
from loopwright.ingest.convert import item_event, organic_event, organic_id
from loopwright.ingest.rows import InteractionRow
from loopwright.ingest.rows import ItemRow as IngestItem
from loopwright.lifecycle import FixedClock

SEED = 17
START_MS = 1_700_000_000_000
STEP_MS = 20_000
"""Time between two interactions: 4,320 a day, so a day's ids, which are told from repetitions, are 68 a partition."""

LIKE_AT = 4.0
RATE = 17  # ActionKind.RATE
_TAGS = ("drama", "comedy", "action", "horror", "war", "children", "noir", "musical")
_KEY = b"rates"


def items(count: int, seed: int = SEED) -> list[ItemRow]:
    """Return a catalogue: 0 to 3 tags each, one of 500 creators, published within ten years before the first event."""
    rng = np.random.default_rng([seed, 1])
    tags, creators = rng.integers(0, len(_TAGS), (count, 3)), rng.integers(0, 500, count)
    ages = rng.integers(0, 3650 * 86_400, count)
    return [
        ItemRow(
            line=number,
            item_id=f"item-{number}",
            title=f"Title number {number}",
            tags=tuple(sorted({_TAGS[tag] for tag in tags[number, : number % 4]})),
            creator=f"creator-{creators[number]}",
            published_s=START_MS / 1000 - float(ages[number]),
            locale="en",
            text="",
        )
        for number in range(count)
    ]


def interactions(count: int, *, users: int, items: int, start: int = 0, seed: int = SEED) -> list[Selected]:
    """Return ratings as the importer selects them from a file: in time order, with each row's rank in its user's order.

    Users and items are drawn by rank r with weights (r + 50)^-.5 and (r + 20)^-.8: a long tail of both.

    Args:
        count: Rows.
        users: Users drawn from.
        items: Items drawn from, those of `items`.
        start: Rows of earlier slices of the same world: times and ranks go on after them.
        seed: Seeds the draws, with `start`.
    """
    rng = np.random.default_rng([seed, 2, start])
    who, what = _drawn(rng, users, 50, 0.5, count), _drawn(rng, items, 20, 0.8, count)
    ratings = rng.integers(1, 6, count)
    return [
        Selected(
            RatingRow(
                start + number, f"user-{user}", f"item-{item}", float(rating), START_MS + (start + number) * STEP_MS
            ),
            f"{start + number:0{RANK_DIGITS}d}",  # rises within each user, as ranks do
        )
        for number, (user, item, rating) in enumerate(zip(who.tolist(), what.tolist(), ratings.tolist(), strict=True))
    ]


def events(rows: Sequence[Selected]) -> list[tuple[bytes, Event]]:
    """Return (key, event) of each row, as ingest appends them to the organic topic."""
    recorded = Timestamp(seconds=START_MS // 1000 + 10 * 365 * 86_400)
    found = []
    for row in rows:
        subject, item = subject_of(row.row.user_id, anonymous=False, key=_KEY), item_id(row.row.item_id)
        said = InteractionRow(
            row.row.user_id, row.row.item_id, RATE, row.row.rating, row.row.rating >= LIKE_AT, row.client_event_id, None
        )
        identity = organic_id(said, subject, item)
        found.append((subject, organic_event(said, identity, subject, item, row.row.time_ms, recorded, "home")))
    return found


def catalogue(count: int) -> list[tuple[bytes, Event]]:
    """Return (key, event) of each item, as ingest appends them to the catalogue; known since before the first event."""
    clock = FixedClock(START_MS)
    found = []
    for row in items(count):
        item = item_id(row.item_id)
        said = IngestItem(row.item_id, row.title, row.tags, row.creator, None, row.locale, row.text, None)
        found.append((item_key(item), item_event(said, item, START_MS - STEP_MS, clock)))
    return found


def _drawn(rng: np.random.Generator, size: int, shift: int, power: float, count: int) -> np.ndarray:
    weights = (np.arange(size) + float(shift)) ** -power
    return rng.choice(size, count, p=weights / weights.sum())
