"""Waits until everything appended is folded everywhere: projector stages, mirrors and the co-visitation graph."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from loopwright.eventlog import ACTIONS, CATALOG, IMPRESSIONS, ITEM_FACTS, ITEM_ROWS, ORGANIC, PROFILES, EventLog
from loopwright.lifecycle import ReadinessView, wait_folded
from loopwright.rpc import Deadline

STEPS = (
    ("projector", "users", (PROFILES, IMPRESSIONS, ACTIONS, ORGANIC)),
    ("projector", "items", (ITEM_FACTS, CATALOG)),
    ("hydration", "mirror", (ITEM_ROWS,)),
    ("retrieval", "mirror", (ITEM_ROWS,)),
    ("retrieval", "graph", (ORGANIC, ACTIONS)),
)
"""Who must have folded what, in the order in which facts flow."""


async def settled(log: EventLog, deadline: Deadline, on_progress: Callable[[str, float], None]) -> None:
    """Return when every replica has folded all that is on the log now.

    Args:
        log: The event log.
        deadline: When to give up.
        on_progress: Told the step's name and its share done, 0 to 1.

    Raises:
        DeadlineExceeded: Names who is behind.
    """
    view = ReadinessView(log)
    async with view:
        for service, what, topics in STEPS:
            name = f"{service} {what}"
            ends = await log.ends(topics)
            await wait_folded(view, service, what, ends, deadline, on_progress=partial(on_progress, name))
