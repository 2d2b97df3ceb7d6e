"""PolicyService as the trainer calls it to promote."""

from __future__ import annotations

from typing import Any

from loopwright.api.policy.v1 import policy_service_pb2 as pb
from loopwright.api.policy.v1.policy_service_pb2_grpc import PolicyServiceStub

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
