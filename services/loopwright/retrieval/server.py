"""The retrieval process: `python -m loopwright.retrieval.server`."""

from __future__ import annotations

import sys

from loopwright.api.retrieval.v1.retrieval_service_pb2_grpc import add_RetrievalServiceServicer_to_server
from loopwright.lifecycle import process
from loopwright.retrieval.bootstrap import bootstrap
from loopwright.retrieval.config import RetrievalSettings
from loopwright.rpc import Mount, run, serving

SWITCH_INTERVAL_S = 0.0005
"""Time a thread may keep the interpreter: Python's 5 ms would be a tenth of the stage's budget for each hand-over."""


async def main() -> None:
    """Serve until told to stop: health NOT_SERVING, drain, stop the tails, close the log last."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    settings = RetrievalSettings()
    async with process("retrieval", settings) as proc, bootstrap(settings, proc) as retrieval:
        mounts = [Mount(add_RetrievalServiceServicer_to_server, retrieval.servicer)]
        async with serving(mounts, settings.rpc) as server:
            await proc.stopped()
            await server.drain()


if __name__ == "__main__":
    run(main)
