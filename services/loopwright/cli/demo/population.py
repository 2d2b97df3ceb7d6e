"""Who takes part and with which rows: users live or held, each one's rows as past, next and last; pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import xxhash

from loopwright.cli.importing.rows import RatingRow
from loopwright.cli.importing.selection import cut

PAST_SHARE, NEXT_SHARE = 0.8, 0.1
"""The first 80 % of each user's rows are history, the 10 % after them happen during the demo, the last 10 % judge."""

LIVE_SHARE = 0.7
LIKE_AT = 4.0


@dataclass(frozen=True, slots=True)
class Population:
    """The split of a ratings file.

    Attributes:
        rows: All rows of the users that take part, in file order.
        live: Users who visit; sorted.
        held: Users who are never shown a slate; sorted.
        next_items: User -> item -> rating of the next 10 %.
        last_items: User -> item -> rating of the last 10 %, which never enter the mesh.
    """

    rows: tuple[RatingRow, ...]
    live: tuple[str, ...]
    held: tuple[str, ...]
    next_items: Mapping[str, Mapping[str, float]]
    last_items: Mapping[str, Mapping[str, float]]

    @property
    def tastes(self) -> dict[str, dict[str, float]]:
        """What the live users will click once they see it."""
        return {user: dict(self.next_items[user]) for user in self.live}

    @property
    def held_rows(self) -> list[RatingRow]:
        """All rows of the held users, in file order: their ranks are their identities."""
        held = frozenset(self.held)
        return [row for row in self.rows if row.user_id in held]

    def judges(self, user: str) -> frozenset[str]:
        """Return what a user likes among their last rows."""
        return frozenset(item for item, rating in self.last_items[user].items() if rating >= LIKE_AT)


def populate(rows: Sequence[RatingRow], users_share: float = 1.0) -> Population:
    """Split the rows; `users_share` in (0, 1] takes that share of the users, always the same ones."""
    of_user: dict[str, list[RatingRow]] = defaultdict(list)
    for row in rows:
        if users_share >= 1.0 or fraction("takes part", row.user_id) < users_share:
            of_user[row.user_id].append(row)
    following: dict[str, dict[str, float]] = {}
    last: dict[str, dict[str, float]] = {}
    for user, own in of_user.items():
        # A stable sort: rows of one second keep the order of the file, as the importer's do.
        ordered = sorted(own, key=lambda row: row.time_ms)
        begin, end = cut(PAST_SHARE, len(own)), cut(PAST_SHARE + NEXT_SHARE, len(own))
        following[user] = {row.item_id: row.rating for row in ordered[begin:end]}
        last[user] = {row.item_id: row.rating for row in ordered[end:]}
    users = sorted(of_user)
    return Population(
        rows=tuple(row for row in rows if row.user_id in of_user),
        live=tuple(user for user in users if is_live(user)),
        held=tuple(user for user in users if not is_live(user)),
        next_items=following,
        last_items=last,
    )


def is_live(user_id: str) -> bool:
    """Say on which side of the one split a user is, by xxh3 of the id."""
    return fraction("", user_id) < LIVE_SHARE


def fraction(label: str, user_id: str) -> float:
    """Return a number in [0, 1) that is a function of the id alone."""
    return xxhash.xxh3_64_intdigest(f"{label}{user_id}".encode()) / 2.0**64
