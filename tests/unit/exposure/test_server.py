from __future__ import annotations

import pytest

from loopwright.api.exposure.v1.exposure_service_pb2 import DESCRIPTOR as EXPOSURE
from loopwright.api.exposure.v1.ledger_service_pb2 import DESCRIPTOR as LEDGER
from loopwright.eventlog import MemoryEventLog
from loopwright.exposure.bootstrap import bootstrap
from loopwright.exposure.config import ExposureSettings
from loopwright.exposure.server import mounts
from loopwright.lifecycle import MeshClock
from loopwright.rpc import RpcSettings, serving


@pytest.mark.integration
async def test_the_process_mounts_every_service_of_its_protos(redis_url, broker):
    log = MemoryEventLog(broker, producer="exposure")
    async with (
        bootstrap(ExposureSettings(redis_url=redis_url), log, MeshClock()) as exposure,
        serving(mounts(exposure), RpcSettings()) as server,
    ):
        wanted = {service.full_name for file in (EXPOSURE, LEDGER) for service in file.services_by_name.values()}
        assert set(server.services) == wanted
