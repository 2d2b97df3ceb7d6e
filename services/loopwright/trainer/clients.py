"""PolicyService as the trainer calls it to promote."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from loopwright.api.policy.v1 import policy_service_pb2 as pb
from loopwright.api.policy.v1.policy_service_pb2_grpc import PolicyServiceStub
from loopwright.rpc import open_channel
from loopwright.trainer.config import TrainerSettings

CALL_WITHIN_S = 10.0


class PolicyClient:
    """Publishes and activates bundles like any operator; `actor` goes on record."""

    def __init__(self, channel: Any, actor: str) -> None:
        """Take an open channel."""
        self._stub = PolicyServiceStub(channel)
        self._actor = actor

    async def publish(self, document: str, reason: str) -> str:
        """Make a bundle known and return its version.

        Raises:
            RemoteFault: BUNDLE_INVALID.
        """
        request = pb.PublishBundleRequest(document=document, actor=self._actor, reason=reason)
        return str((await self._stub.PublishBundle(request, timeout=CALL_WITHIN_S)).policy_version)

    async def activate(self, surface: str, version: str, previous: str, reason: str) -> None:
        """Make a published bundle active.

        Raises:
            RemoteFault: REPLICA_NOT_READY, EXPECTED_PREVIOUS_MISMATCH.
        """
        request = pb.ActivateBundleRequest(
            surface=surface, policy_version=version, expected_previous=previous, actor=self._actor, reason=reason
        )
        await self._stub.ActivateBundle(request, timeout=CALL_WITHIN_S)


@asynccontextmanager
async def policy_service(settings: TrainerSettings, actor: str) -> AsyncIterator[PolicyClient]:
    """Open PolicyService; `actor` goes on record with every change."""
    async with open_channel(settings.policy_target, settings.channels) as channel:
        yield PolicyClient(channel, actor)
