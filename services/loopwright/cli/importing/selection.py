"""Which rows are imported, in which order, under which identity; pure.

The rank of a row in its user's stable time order is its identity, so a repeated import counts nothing twice.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from loopwright.cli.importing.rows import ItemRow, RatingRow, Reject

RANK_DIGITS = 10


@dataclass(frozen=True, slots=True)
class Selected:
    """An interaction to send; `client_event_id` is the zero-padded rank among the user's rows."""

    row: RatingRow
    client_event_id: str


def select(
    rows: Sequence[RatingRow],
    known_items: set[str],
    rejects: list[Reject],
    file: str,
    *,
    first_share: float = 1.0,
    next_share: float | None = None,
) -> list[Selected]:
    """Return the rows to send in time order, equal times in file order.

    Args:
        rows: The whole file, in file order.
        known_items: Items of the catalogue; rows of others are rejected, and still count in their user's n.
        rejects: Takes the rejected rows among those selected.
        file: Name of the file, for rejects.
        first_share: F; the first floor(F * n) of each user's n rows are selected.
        next_share: When given, the rows after those, up to floor((F + this) * n), are selected instead.
    """
    of_user: dict[str, list[int]] = defaultdict(list)
    for index, row in enumerate(rows):
        of_user[row.user_id].append(index)
    chosen: list[tuple[int, int, Selected]] = []
    for indices in of_user.values():
        indices.sort(key=lambda i: (rows[i].time_ms, i))
        count = len(indices)
        low, high = (0, cut(first_share, count))
        if next_share is not None:
            low, high = high, cut(first_share + next_share, count)
        for rank in range(low, high):
            row = rows[indices[rank]]
            if row.item_id not in known_items:
                rejects.append(Reject(file, row.line, "item_id", "UNKNOWN_ITEM: not in the items file"))
                continue
            chosen.append((row.time_ms, indices[rank], Selected(row, f"{rank:0{RANK_DIGITS}d}")))
    chosen.sort(key=lambda entry: entry[:2])
    return [entry[2] for entry in chosen]


def cut(share: float, count: int) -> int:
    """Return floor(share * count), shielded from the rounding of decimal shares such as .9."""
    return min(count, math.floor(share * count + 1e-9))


def item_times(items: Sequence[ItemRow], selected: Sequence[Selected]) -> dict[str, int]:
    """Return when each item became known, mesh milliseconds: its first imported interaction, else the last one's time.

    An item that nobody touched has no older evidence of existing than the end of the file.
    """
    first: dict[str, int] = {}
    for entry in selected:
        first.setdefault(entry.row.item_id, entry.row.time_ms)
    end = selected[-1].row.time_ms if selected else None
    return {item.item_id: time for item in items if (time := first.get(item.item_id, end)) is not None}
