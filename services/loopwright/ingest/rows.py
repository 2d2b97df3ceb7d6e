"""What clients send and get back, as plain values: `convert` makes them, `intake` judges them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from loopwright.domain.ids import event_id


@dataclass(frozen=True, slots=True)
class ItemRow:
    """A whole item; times are milliseconds, None: unknown, or now for `occurred_at_ms`."""

    external_id: str
    title: str
    tags: tuple[str, ...]
    creator: str
    published_at_ms: int | None
    locale: str
    text: str
    occurred_at_ms: int | None


@dataclass(frozen=True, slots=True)
class ProfileRow:
    """A user's whole profile; `traits` are (name, value) in order of their names."""

    user_id: str
    locale: str
    traits: tuple[tuple[str, str], ...]
    occurred_at_ms: int | None


# A named tuple: an import makes millions of them, and a frozen dataclass costs four times as much.
class InteractionRow(NamedTuple):
    """One organic interaction; `kind` is the number of an `ActionKind`."""

    user_id: str
    item_id: str
    kind: int
    value: float
    liked: bool
    client_event_id: str
    occurred_at_ms: int | None


class Relation(IntEnum):
    """How a user stands to a creator; numbers equal those of the proto."""

    FOLLOW = 1
    UNFOLLOW = 2
    BLOCK = 3


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a row was refused."""

    field: str
    reason: str
    description: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a batch.

    Attributes:
        accepted: Rows that are durable; those that were so before are among them.
        refused: (index of the row, why).
    """

    accepted: int
    refused: tuple[tuple[int, Refusal], ...]


def content_of(row: ItemRow) -> bytes:
    """Return 16 bytes that equal rows share, the time of the fact left out."""
    published = "" if row.published_at_ms is None else str(row.published_at_ms)
    return event_id("item", row.external_id, row.title, row.creator, published, row.locale, row.text, *row.tags)


def profile_content(row: ProfileRow) -> bytes:
    """Return 16 bytes that equal profiles share, the time of the fact left out."""
    return event_id("profile", row.locale, *(part for trait in row.traits for part in trait))
