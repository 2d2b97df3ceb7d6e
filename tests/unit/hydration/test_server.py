from __future__ import annotations

from loopwright.api.hydration.v1.hydration_service_pb2 import DESCRIPTOR
from loopwright.bundle import default_bundle
from loopwright.hydration.hydrator import Hydrator
from loopwright.hydration.server import mounts
from loopwright.rpc import RpcSettings, serving


async def test_the_process_mounts_every_service_of_its_protos(user_side, item_side):
    hydrator = Hydrator(user_side, item_side, {"p": default_bundle()}.get)
    async with serving(mounts(hydrator), RpcSettings()) as server:
        assert set(server.services) == {s.full_name for s in DESCRIPTOR.services_by_name.values()}
