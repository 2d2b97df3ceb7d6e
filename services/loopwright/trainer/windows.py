"""Offset windows of training runs: what a run may read, and which organic rows judge instead of teaching."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from loopwright.eventlog import Offsets
from loopwright.eventlog.topics import ORGANIC, Topic


def ranges(topics: Iterable[Topic], starts: Offsets, ends: Offsets) -> list[dict[str, Any]]:
    """Return the half-open offset ranges of a window, by topic and partition, as a manifest records them."""
    names = {topic.name for topic in topics}
    return [
        {"topic": topic, "partition": partition, "start": starts.get((topic, partition), 0), "end": end}
        for (topic, partition), end in sorted(ends.items())
        if topic in names
    ]


def organic_ends(details: Mapping[str, Any]) -> Offsets:
    """Return where the window of a manifest's details ends in the organic topic; {} when it names no window."""
    return {
        (str(part["topic"]), int(part["partition"])): int(part["end"])
        for part in details.get("windows", ())
        if part["topic"] == ORGANIC.name
    }


def judges(topic: str, partition: int, offset: int, trained_until: Offsets) -> bool:
    """Say whether a row came after the incumbent's training: such rows judge both models and teach none.

    Args:
        topic: Only organic rows judge; what a slate caused, the incumbent chose.
        partition: Physical partition of the row.
        offset: Offset of the row.
        trained_until: Ends of the incumbent's window in the organic topic; {} without an incumbent.
    """
    return bool(trained_until) and topic == ORGANIC.name and offset >= trained_until.get((topic, partition), 0)
