"""The process of hydration: `python -m loopwright.hydration.server`, settings from the environment."""

from __future__ import annotations

from loopwright.api.hydration.v1.hydration_service_pb2_grpc import add_HydrationServiceServicer_to_server
from loopwright.hydration.bootstrap import bootstrap
from loopwright.hydration.bundle_reports import reporting
from loopwright.hydration.config import HydrationSettings
from loopwright.hydration.hydrator import Hydrator
from loopwright.hydration.servicer import HydrationServicer
from loopwright.lifecycle import process
from loopwright.rpc import Mount, run, serving


def mounts(hydrator: Hydrator) -> list[Mount]:
    """Return the services that the process mounts."""
    return [Mount(add_HydrationServiceServicer_to_server, HydrationServicer(hydrator))]


async def main() -> None:
    """Serve until SIGTERM or SIGINT; health is SERVING only once mirror and bundles have caught up."""
    settings = HydrationSettings()
    async with (
        process("hydration", settings) as proc,
        bootstrap(settings, proc.log, proc.clock) as hydration,
        serving(mounts(hydration.hydrator), settings.rpc),
        reporting(hydration.feed, hydration.mirror, proc.readiness),
    ):
        proc.watch(hydration.feed)
        proc.watch(hydration.mirror)
        await proc.stopped()


if __name__ == "__main__":
    run(main)
