"""A mesh of a build that has a source of its own, asked over gRPC; prints as JSON what each reader makes of it.

`test_added_source.py` adds the source to a copy of the tree and runs `python -m tests.mesh.added_source DIR` there.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from loopwright.bundle import with_values
from loopwright.cli.clients import FrontDoorClient
from loopwright.cli.explaining.document import decision_document
from loopwright.domain.enums import Source
from loopwright.eventlog import CATALOG, DECISIONS, replay
from loopwright.lifecycle import FixedClock
from loopwright.localmesh.proofs import verify_many
from loopwright.monitor.health import LoopHealth, Windows
from loopwright.rpc import open_channel
from tests.mesh.served import served
from tests.mesh.world import DAY_MS, NOW_MS, activate, dice, message, populated, recorded_whole

ROW = {"quota": 50, "weight": 1.0, "budget_ms": 5000}


async def served_once(folder: Path) -> dict[str, Any]:
    """Return what answer, explanation, proof and monitor say of one decision under a bundle that plans `rising`."""
    async with populated(folder, FixedClock(NOW_MS)) as mesh:
        bundle = with_values(recorded_whole(), {"retrieval.sources.rising": ROW})
        await activate(mesh, bundle)
        async with served(mesh, dice()) as found:
            answer = await found.recommender.Recommend(message(), timeout=20)
            async with open_channel(found.targets["recommender"]) as channel:
                explained = await FrontDoorClient(channel).explain(answer.decision_id, 20)
        proven = await verify_many(mesh.log("cli"), mesh.models, 1, 1)
        health = LoopHealth(Windows(DAY_MS, 7, DAY_MS))
        async for records in replay(mesh.log("monitor"), [CATALOG, DECISIONS]):
            for record in records:
                health.apply(record)
        [surface] = health.summary(NOW_MS)["surfaces"].values()
    document = decision_document(explained)
    return {
        "degradations": len(answer.degradations),
        "answered": any(Source["RISING"] in item.sources for item in answer.items),
        "explained": [[source["source"] for source in place["sources"]] for place in document["slate"]],
        "broken": dict(proven.broken),
        "proven": proven.holding,
        "monitored": surface["sources"],
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(served_once(Path(sys.argv[1])))))
