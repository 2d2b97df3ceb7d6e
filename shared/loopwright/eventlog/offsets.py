"""Offset vectors as values: comparison and their JSON form (`{"organic/0":12}`) for progress reports and commands."""

from __future__ import annotations

import json

from loopwright.eventlog.types import Offsets
from loopwright.faults import InvalidRequest


def covers(folded: Offsets, ends: Offsets) -> bool:
    """Say whether everything before `ends` is folded; a partition missing in `folded` counts as untouched."""
    return all(folded.get(place, 0) >= end for place, end in ends.items())


def missing(folded: Offsets, ends: Offsets) -> int:
    """Return how many offsets are left to fold until `ends`."""
    return sum(max(0, end - folded.get(place, 0)) for place, end in ends.items())


def offsets_to_json(offsets: Offsets) -> str:
    """Return the canonical JSON form, keys sorted by topic and partition."""
    return json.dumps({f"{topic}/{p}": offsets[topic, p] for topic, p in sorted(offsets)}, separators=(",", ":"))


def offsets_from_json(text: str) -> Offsets:
    """Read the JSON form.

    Raises:
        InvalidRequest: It is not an object from `topic/partition` to a non-negative integer.
    """
    try:
        table = json.loads(text)
        offsets: Offsets = {}
        for place, offset in table.items():
            topic, _, partition = place.rpartition("/")
            if not topic or type(offset) is not int or offset < 0:
                raise ValueError(place)
            offsets[topic, int(partition)] = offset
    except (ValueError, AttributeError) as error:
        raise InvalidRequest('offsets are written {"topic/partition":offset}') from error
    return offsets
