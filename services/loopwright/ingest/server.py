"""The ingest process: `python -m loopwright.ingest.server`."""

from __future__ import annotations

from loopwright.api.ingest.v1.ingest_service_pb2_grpc import add_IngestServiceServicer_to_server
from loopwright.ingest.bootstrap import bootstrap
from loopwright.ingest.config import IngestSettings
from loopwright.lifecycle import process
from loopwright.rpc import Mount, run, serving


async def main() -> None:
    """Serve until told to stop: health NOT_SERVING, drain, stop the tail, close the log last."""
    settings = IngestSettings()
    async with process("ingest", settings) as proc, bootstrap(settings, proc) as ingest:
        async with serving([Mount(add_IngestServiceServicer_to_server, ingest.servicer)], settings.rpc) as server:
            await proc.stopped()
            await server.drain()


if __name__ == "__main__":
    run(main)
