"""The policy process: `python -m loopwright.policy.server`."""

from __future__ import annotations

from loopwright.api.policy.v1.policy_service_pb2_grpc import add_PolicyServiceServicer_to_server
from loopwright.api.policy.v1.slate_service_pb2_grpc import add_SlateServiceServicer_to_server
from loopwright.lifecycle import process
from loopwright.policy.bootstrap import bootstrap
from loopwright.policy.config import PolicySettings
from loopwright.rpc import Mount, run, serving


async def main() -> None:
    """Serve until told to stop: health NOT_SERVING, drain, stop the tails, close the log last."""
    settings = PolicySettings()
    async with process("policy", settings) as proc, bootstrap(settings, proc) as policy:
        mounts = [
            Mount(add_SlateServiceServicer_to_server, policy.slates),
            Mount(add_PolicyServiceServicer_to_server, policy.policies),
        ]
        async with serving(mounts, settings.rpc) as server:
            await proc.stopped()
            await server.drain()


if __name__ == "__main__":
    run(main)
