"""Steps that read the log once all is done: what the decisions say of themselves, and the monitor's accounting."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import Mapping
from typing import Any

from loopwright.cli.demo.scene import SURFACE, DemoFailed, Scene
from loopwright.cli.demo.tally import Tally
from loopwright.domain.enums import Purpose
from loopwright.eventlog import DECISIONS, EventLog, SkipAndCount, replay
from loopwright.localmesh.proofs import recorded_slate

SUMMARY_WITHIN_S = 30.0
ASK_EVERY_S = 0.5


async def read_log(scene: Scene) -> str:
    """Add up every SERVE decision on the log, and ask the monitor for its accounting of what they showed."""
    tally = Tally()
    async with scene.log() as log:
        await add_up(log, tally)
    summary = await asyncio.wait_for(monitor_summary(scene.addresses), SUMMARY_WITHIN_S)
    accounting = summary["surfaces"].get(SURFACE, {}).get("accounting", {})
    scene.report.facts |= {
        "decisions": tally.document(),
        "events": summary["events"],
        "accounting": accounting,
        "accounting_agrees": agrees(accounting, scene.report.facts["traffic"]),
        "schemes": summary["surfaces"].get(SURFACE, {}).get("schemes", {}),
    }
    return f"{tally.decisions} SERVE decisions, {sum(summary['events'].values())} events"


async def add_up(log: EventLog, tally: Tally) -> None:
    """Fold the SERVE decisions on the log, each once however often it was sent."""
    known: set[bytes] = set()
    async for records in replay(log, [DECISIONS], on_undecodable=SkipAndCount("demo")):
        for record in records:
            decided = record.event.slate_decided
            if int(decided.request.purpose) == Purpose.SERVE and decided.decision_id not in known:
                known.add(decided.decision_id)
                tally.add(recorded_slate(record.event))


async def monitor_summary(addresses: Mapping[str, str]) -> dict[str, Any]:
    """Return the monitor's figures over all that is on the log; it is asked again while it still reads."""
    while True:
        try:
            return await asyncio.to_thread(_summary, f"http://{addresses['monitor.summary']}/summary")
        except OSError:
            await asyncio.sleep(ASK_EVERY_S)


def _summary(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(url, timeout=SUMMARY_WITHIN_S) as response:
        found = json.load(response)
    if not isinstance(found, dict):
        raise DemoFailed("the monitor's summary is no object")
    return found


def agrees(accounting: Mapping[str, int], traffic: Mapping[str, Any]) -> bool:
    """Say whether the log holds exactly the positions, views and clicked positions that clients know of."""
    pairs = (("positions", "shown"), ("seen", "viewed"), ("acted", "clicks"))
    return all(accounting.get(ours) == traffic[theirs] for ours, theirs in pairs) and not accounting.get("unmatched")
