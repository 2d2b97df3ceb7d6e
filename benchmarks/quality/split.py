"""The split `user80`: each user's first rows in time train, the rows after them test; equal times keep file order."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path

LIKED_AT = 4.0


@dataclass(frozen=True)
class Row:
    user: str
    item: str
    rating: float


@dataclass(frozen=True)
class Split:
    """Rows before and after each user's cut; `liked` holds the test likes of users who have one."""

    train: dict[str, list[Row]]
    liked: dict[str, set[str]]

    @property
    def users(self) -> list[str]:
        return sorted(self.liked)

    @property
    def known(self) -> set[str]:
        """Items that somebody has rated before the cut."""
        return {row.item for rows in self.train.values() for row in rows}


def split(ratings: Path, share: float) -> Split:
    """Return the split after floor(share n) of each user's n rows, as `loopwright import --first-share` cuts."""
    by_user: dict[str, list[tuple[int, Row]]] = {}
    with ratings.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found = Row(row["user_id"], row["item_id"], float(row["rating"]))
            by_user.setdefault(found.user, []).append((int(row["timestamp"]), found))
    train: dict[str, list[Row]] = {}
    liked: dict[str, set[str]] = {}
    for user, timed in by_user.items():
        rows = [row for _, row in sorted(timed, key=lambda pair: pair[0])]
        cut = math.floor(share * len(rows) + 1e-9)
        train[user] = rows[:cut]
        if likes := {row.item for row in rows[cut:] if row.rating >= LIKED_AT}:
            liked[user] = likes
    return Split(train, liked)
