"""The recommender process: `python -m loopwright.recommender.server`."""

from __future__ import annotations

from loopwright.api.recommender.v1.recommender_service_pb2_grpc import add_RecommenderServiceServicer_to_server
from loopwright.lifecycle import process
from loopwright.recommender.bootstrap import bootstrap
from loopwright.recommender.config import RecommenderSettings
from loopwright.rpc import Mount, run, serving


async def main() -> None:
    """Serve until told to stop: health NOT_SERVING, drain, close clients, close the log last."""
    settings = RecommenderSettings()
    async with process("recommender", settings) as proc, bootstrap(settings, proc) as recommender:
        mounts = [Mount(add_RecommenderServiceServicer_to_server, recommender.servicer)]
        async with serving(mounts, settings.rpc) as server:
            await proc.stopped()
            await server.drain()


if __name__ == "__main__":
    run(main)
