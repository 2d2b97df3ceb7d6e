"""Reads the two CSV files into rows, and says line by line what could not be read.

In: paths. Out: item and rating rows with their line numbers, and rejects with a reason; nothing is guessed.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from loopwright.faults import FieldViolation, InvalidRequest

ITEM_COLUMNS = ("item_id", "title", "tags", "creator", "published_at", "locale", "text")
RATING_COLUMNS = ("user_id", "item_id", "rating", "timestamp")
REQUIRED_ITEM_COLUMNS = ("item_id", "title")
LATEST_S = 4_102_444_800
"""Mesh time ends before 2100-01-01."""


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One item of the catalogue; `published_s` is Unix seconds or None."""

    line: int
    item_id: str
    title: str
    tags: tuple[str, ...]
    creator: str
    published_s: float | None
    locale: str
    text: str


@dataclass(frozen=True, slots=True)
class RatingRow:
    """One interaction; `time_ms` is mesh milliseconds."""

    line: int
    user_id: str
    item_id: str
    rating: float
    time_ms: int


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that was not imported."""

    file: str
    line: int
    field: str
    reason: str


def read_items(path: Path, rejects: list[Reject]) -> list[ItemRow]:
    """Return the catalogue in file order; a second row of an item is a reject.

    Raises:
        InvalidRequest: The file cannot be read, is not UTF-8 or lacks a column.
    """
    rows: list[ItemRow] = []
    known: set[str] = set()
    for line, cells in _records(path, REQUIRED_ITEM_COLUMNS):
        try:
            row = _item(line, cells)
        except ValueError as error:
            rejects.append(_reject(path, line, error))
            continue
        if row.item_id in known:
            rejects.append(Reject(path.name, line, "item_id", "DUPLICATE_ITEM: the item has an earlier row"))
            continue
        known.add(row.item_id)
        rows.append(row)
    return rows


def read_ratings(path: Path, rejects: list[Reject]) -> list[RatingRow]:
    """Return the interactions in file order.

    Raises:
        InvalidRequest: The file cannot be read, is not UTF-8 or lacks a column.
    """
    rows: list[RatingRow] = []
    for line, cells in _records(path, RATING_COLUMNS):
        try:
            rows.append(_rating(line, cells))
        except ValueError as error:
            rejects.append(_reject(path, line, error))
    return rows


def _records(path: Path, required: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = [name for name in required if name not in (reader.fieldnames or ())]
            if missing:
                raise _file_fault(path, f"lacks the column {missing[0]!r}; it needs {', '.join(required)}")
            for cells in reader:
                yield reader.line_num, {k: v or "" for k, v in cells.items() if isinstance(k, str)}
    except OSError as error:
        raise _file_fault(path, f"cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise _file_fault(path, f"is no UTF-8 CSV file: {error}") from error


def _file_fault(path: Path, text: str) -> InvalidRequest:
    return InvalidRequest(f"{path}: {text}", violations=[FieldViolation(path.name, "csv", text)])


def _reject(path: Path, line: int, error: ValueError) -> Reject:
    field, _, reason = str(error).partition("|")
    return Reject(path.name, line, field, reason)


def _text(cells: dict[str, str], field: str, limit: int, *, required: bool = False) -> str:
    value = cells.get(field, "").strip()
    if required and not value:
        raise ValueError(f"{field}|EMPTY: must not be empty")
    if len(value.encode()) > limit:
        raise ValueError(f"{field}|TOO_LONG: must be at most {limit} bytes")
    return value


def _number(cells: dict[str, str], field: str) -> float:
    text = cells.get(field, "").strip()
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{field}|NOT_A_NUMBER: must be a number") from None
    if not math.isfinite(value):
        raise ValueError(f"{field}|NOT_FINITE: must be finite")
    return value


def _rating(line: int, cells: dict[str, str]) -> RatingRow:
    user = _text(cells, "user_id", 256, required=True)
    item = _text(cells, "item_id", 256, required=True)
    rating = _number(cells, "rating")
    seconds = _number(cells, "timestamp")
    if not 0 <= seconds < LATEST_S:
        raise ValueError("timestamp|OUT_OF_RANGE: must be Unix seconds from 1970 to 2099")
    return RatingRow(line, user, item, rating, round(seconds * 1000))


def _item(line: int, cells: dict[str, str]) -> ItemRow:
    tags = tuple(tag.strip() for tag in cells.get("tags", "").split("|") if tag.strip())
    if len(tags) > 64:
        raise ValueError("tags|TOO_MANY: at most 64 tags")
    if any(len(tag.encode()) > 128 for tag in tags):
        raise ValueError("tags|TOO_LONG: a tag is at most 128 bytes")
    return ItemRow(
        line=line,
        item_id=_text(cells, "item_id", 256, required=True),
        title=_text(cells, "title", 1024),
        tags=tags,
        creator=_text(cells, "creator", 256),
        published_s=_published(cells.get("published_at", "").strip()),
        locale=_locale(cells),
        text=_text(cells, "text", 16384),
    )


def _locale(cells: dict[str, str]) -> str:
    value = _text(cells, "locale", 35).replace("_", "-")
    if not all(c.isascii() and (c.isalnum() or c == "-") for c in value):
        raise ValueError("locale|NOT_A_TAG: must be a BCP 47 language tag")
    return value


def parse_time(text: str) -> float:
    """Return Unix seconds of a number or an ISO 8601 time; without a zone it is UTC.

    Raises:
        ValueError: It is neither.
    """
    try:
        return float(text)
    except ValueError:
        moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _published(text: str) -> float | None:
    if not text:
        return None
    try:
        seconds = parse_time(text)
    except ValueError:
        raise ValueError("published_at|NOT_A_TIME: must be Unix seconds or ISO 8601") from None
    if not (math.isfinite(seconds) and -62_135_596_800 <= seconds < LATEST_S):
        raise ValueError("published_at|OUT_OF_RANGE: must be before 2100")
    return seconds
