"""The ranking process: `python -m loopwright.ranking.server`."""

from __future__ import annotations

import sys

from loopwright.api.ranking.v1.ranking_service_pb2_grpc import add_RankingServiceServicer_to_server
from loopwright.lifecycle import process
from loopwright.ranking.bootstrap import bootstrap
from loopwright.ranking.config import RankingSettings
from loopwright.rpc import Mount, run, serving

SWITCH_INTERVAL_S = 0.0005
"""Time a thread may keep the interpreter: Python's 5 ms would be a tenth of the stage's budget for each hand-over."""


async def main() -> None:
    """Serve until told to stop: health NOT_SERVING, drain, stop the tails, close the log last."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    settings = RankingSettings()
    async with process("ranking", settings) as proc, bootstrap(settings, proc) as ranking:
        mounts = [Mount(add_RankingServiceServicer_to_server, ranking.servicer)]
        async with serving(mounts, settings.rpc) as server:
            await proc.stopped()
            await server.drain()


if __name__ == "__main__":
    run(main)
