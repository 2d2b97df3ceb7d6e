"""SlateService and PolicyService over gRPC: parse, call the domain object, map, return."""

from __future__ import annotations

from typing import Any

from loopwright.api.policy.v1 import policy_service_pb2 as pb
from loopwright.api.policy.v1 import slate_service_pb2 as slate_pb
from loopwright.api.policy.v1.policy_service_pb2_grpc import PolicyServiceServicer
from loopwright.api.policy.v1.slate_service_pb2_grpc import SlateServiceServicer
from loopwright.pipeline.convert.slate import slate_query_from_proto, slate_to_proto
from loopwright.policy.bundles import Administration
from loopwright.policy.convert import summary_to_proto, violations_to_proto
from loopwright.policy.slate import Decider
from loopwright.rpc import Deadline

DEFAULT_LIMIT = 50
"""Bundles that ListBundles returns when the request leaves the limit at 0, as its proto says."""


class SlateServicer(SlateServiceServicer):
    """The request path's face of policy."""

    def __init__(self, decider: Decider) -> None:
        """Takes the decider."""
        self._decider = decider

    async def DecideSlate(self, request: slate_pb.DecideSlateRequest, context: Any) -> slate_pb.DecideSlateResponse:
        """Return the slate of the candidates, with its propensities."""
        query = slate_query_from_proto(request)
        return slate_to_proto(await self._decider.decide(query, Deadline.of(context)))


class PolicyServicer(PolicyServiceServicer):
    """The administrators' face of policy."""

    def __init__(self, administration: Administration) -> None:
        """Takes the administration of bundles."""
        self._administration = administration

    async def ValidateBundle(self, request: pb.ValidateBundleRequest, context: Any) -> pb.ValidateBundleResponse:
        """Return what is wrong with a document, and its version when nothing is."""
        result = await self._administration.validate(request.document)
        return pb.ValidateBundleResponse(
            policy_version=result.version, violations=violations_to_proto(result.violations)
        )

    async def PublishBundle(self, request: pb.PublishBundleRequest, context: Any) -> pb.PublishBundleResponse:
        """Makes a bundle known."""
        done = await self._administration.publish(
            request.document, actor=request.actor, reason=request.reason, deadline=Deadline.of(context)
        )
        return pb.PublishBundleResponse(policy_version=done.version, already_published=done.already_published)

    async def ActivateBundle(self, request: pb.ActivateBundleRequest, context: Any) -> pb.ActivateBundleResponse:
        """Makes a published bundle active once every live replica has loaded it."""
        ready = await self._administration.activate(
            request.surface,
            request.policy_version,
            request.expected_previous,
            actor=request.actor,
            reason=request.reason,
            deadline=Deadline.of(context),
        )
        return pb.ActivateBundleResponse(policy_version=request.policy_version, ready_replicas=ready)

    async def RollbackBundle(self, request: pb.RollbackBundleRequest, context: Any) -> pb.RollbackBundleResponse:
        """Makes the previous bundle active; waits for nobody."""
        version = await self._administration.roll_back(
            request.surface, actor=request.actor, reason=request.reason, deadline=Deadline.of(context)
        )
        return pb.RollbackBundleResponse(policy_version=version)

    async def ListBundles(self, request: pb.ListBundlesRequest, context: Any) -> pb.ListBundlesResponse:
        """Return published bundles, newest first."""
        found = self._administration.summaries(request.surface, request.limit or DEFAULT_LIMIT)
        return pb.ListBundlesResponse(
            bundles=[
                summary_to_proto(
                    version=entry.published.version,
                    surface=entry.published.surface,
                    active=entry.active,
                    published_at_ms=entry.published.published_at_ms,
                    canonical=entry.published.canonical,
                    replicas=[(one.replica, one.ready, one.reason) for one in entry.standings],
                )
                for entry in found
            ]
        )
