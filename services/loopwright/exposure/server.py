"""The process of exposure: `python -m loopwright.exposure.server`, settings from the environment."""

from __future__ import annotations

from loopwright.api.exposure.v1.exposure_service_pb2_grpc import add_ExposureServiceServicer_to_server
from loopwright.api.exposure.v1.ledger_service_pb2_grpc import add_LedgerServiceServicer_to_server
from loopwright.exposure.bootstrap import Exposure, bootstrap
from loopwright.exposure.config import ExposureSettings
from loopwright.exposure.servicer import ExposureServicer, LedgerServicer
from loopwright.lifecycle import process
from loopwright.rpc import Mount, run, serving


def mounts(exposure: Exposure) -> list[Mount]:
    """Return the services that the process mounts."""
    return [
        Mount(add_LedgerServiceServicer_to_server, LedgerServicer(exposure.ledger)),
        Mount(add_ExposureServiceServicer_to_server, ExposureServicer(exposure.feedback)),
    ]


async def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    settings = ExposureSettings()
    async with (
        process("exposure", settings) as proc,
        bootstrap(settings, proc.log, proc.clock) as exposure,
        serving(mounts(exposure), settings.rpc),
    ):
        await proc.stopped()


if __name__ == "__main__":
    run(main)
