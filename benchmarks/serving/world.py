"""A synthetic catalogue and users with a past from one seed: rows for `loopwright import`, vectors for the towers.

Nothing here depends on the mesh; the floors and the product get the same vectors.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from loopwright.domain.ids import item_id
from loopwright.domain.vectors import F32, I64, U64

SEED = 5
ITEMS, USERS, PAST = 100_000, 1_000, 12
"""Catalogue, users, and ratings of each user: enough that every user has a history, few enough to import quickly."""

DIMENSION, INTRINSIC = 64, 24
"""Unit vectors of 64 numbers that vary in 24 directions, as learned embeddings do."""

TAGS, CREATORS = 200, 5_000
END_S = 1_793_491_200
"""Unix seconds of the last rating, 2026-11-01: mesh time goes on from there."""

_DAY_S = 86_400
_AGE_DAYS, _PAST_DAYS = 1_000, 14
_TOPICS = 400


@dataclass(frozen=True, slots=True)
class Rating:
    """One rating; `time_s` is Unix seconds."""

    user: int
    item: int
    value: int
    time_s: int


class World:
    """Everything that the seed gives; items and users are numbered from 0."""

    def __init__(self, items: int = ITEMS, users: int = USERS, seed: int = SEED) -> None:
        """Draw the world."""
        rng = np.random.default_rng(seed)
        topics = rng.normal(size=(_TOPICS, INTRINSIC))
        self.item_topics = rng.integers(0, _TOPICS, items)
        latent = topics[self.item_topics] + rng.normal(size=(items, INTRINSIC))
        vectors = (latent @ rng.normal(size=(INTRINSIC, DIMENSION))).astype(np.float32)
        self.vectors: F32 = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        self.published_s: I64 = END_S - rng.integers(_DAY_S, _AGE_DAYS * _DAY_S, items)
        self.creators: I64 = rng.integers(0, CREATORS, items)
        self.users = users
        self._rated: I64 = self._histories(rng, items, users)
        self._values: I64 = rng.integers(3, 6, (users, PAST))
        self._times: I64 = np.sort(END_S - rng.integers(1, _PAST_DAYS * _DAY_S, (users, PAST)), axis=1)

    def _histories(self, rng: np.random.Generator, items: int, users: int) -> I64:
        """Return int64 [users, PAST]: items of a user's few topics, none twice."""
        by_topic = [np.flatnonzero(self.item_topics == topic) for topic in range(_TOPICS)]
        rows = []
        for _ in range(users):
            liked = np.concatenate([by_topic[topic] for topic in rng.choice(_TOPICS, 4, replace=False)])
            pool = liked if len(liked) >= PAST else np.arange(items)
            rows.append(rng.choice(pool, PAST, replace=False))
        return np.array(rows)

    @cached_property
    def item_ids(self) -> U64:
        """Ids of the items inside the mesh, uint64 [n]."""
        return np.array([item_id(self.item_name(n)) for n in range(len(self.vectors))], dtype=np.uint64)

    @cached_property
    def user_vectors(self) -> F32:
        """What the user tower makes of a past, up to its scale: float32 [users, 64]."""
        means: F32 = self.vectors[self._rated].mean(axis=1)
        return means

    @staticmethod
    def item_name(item: int) -> str:
        """Return the external id of an item."""
        return f"item-{item}"

    @staticmethod
    def user_name(user: int) -> str:
        """Return the external id of a user."""
        return f"user-{user}"

    def item_tags(self, item: int) -> tuple[str, ...]:
        """Return the tags of an item: those of its topic, and one of its own."""
        topic = int(self.item_topics[item])
        return (f"tag-{topic % TAGS}", f"tag-{topic * 7 % TAGS}", f"mood-{item % 11}")

    def ratings(self) -> list[Rating]:
        """Return every rating, oldest first."""
        rows = [
            Rating(user, int(self._rated[user, n]), int(self._values[user, n]), int(self._times[user, n]))
            for user in range(self.users)
            for n in range(PAST)
        ]
        return sorted(rows, key=lambda row: (row.time_s, row.user))

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Write `ratings.csv` and `items.csv` as `loopwright import` reads them; return their paths."""
        ratings, items = folder / "ratings.csv", folder / "items.csv"
        with ratings.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("user_id", "item_id", "rating", "timestamp"))
            writer.writerows(
                (self.user_name(row.user), self.item_name(row.item), row.value, row.time_s) for row in self.ratings()
            )
        with items.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("item_id", "title", "tags", "creator", "published_at", "locale"))
            writer.writerows(
                (self.item_name(n), f"Item {n}", "|".join(self.item_tags(n)), f"creator-{self.creators[n]}",
                 int(self.published_s[n]), "en")
                for n in range(len(self.vectors))
            )  # fmt: skip
        return ratings, items
