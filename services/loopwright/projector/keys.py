"""Keys of what the projector keeps beside its rows; rows and progress are named in `loopwright.store.keys`."""

from __future__ import annotations

PARK = "park"
"""Offsets at which the projector is asked to stop; no such key: it runs."""

PARKED = "parked"
"""Where it stands while parked."""


OWN_PREFIXES = ("progress:", "fence:", "user:", "item:", "mark:", "dedup:")
"""All keys of ours that an emptied store is cleared of, progress first: without it every reader knows rows as stale."""


def fence(stage: str) -> str:
    """Return the key of a stage's fence; see `fence.py`."""
    return f"fence:{stage}"


def mark(partition: int, topic: str) -> str:
    """Return the key of the next offset of a topic to fold for a logical partition, in decimal."""
    return f"mark:{{{partition}}}:{topic}"


def fact_marks(partition: int, source_topic: str) -> str:
    """Return the key of the marks within a source topic that an item partition has come to."""
    return f"mark:{{{partition}}}:item_facts:{source_topic}"


def dedup(partition: int, topic: str) -> str:
    """Return the key of a dedup window."""
    return f"dedup:{{{partition}}}:{topic}"
