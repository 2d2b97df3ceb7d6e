"""The RPCs of exposure: parse, call the domain object, map, return."""

from __future__ import annotations

from typing import Any

import grpc

from loopwright.api.exposure.v1 import exposure_service_pb2 as pb
from loopwright.api.exposure.v1 import ledger_service_pb2 as ledger_pb
from loopwright.api.exposure.v1.exposure_service_pb2_grpc import ExposureServiceServicer
from loopwright.api.exposure.v1.ledger_service_pb2_grpc import LedgerServiceServicer
from loopwright.exposure.convert import (
    acted_to_proto,
    acts_from_proto,
    decision_from_proto,
    settled_to_proto,
    viewed_to_proto,
    views_from_proto,
)
from loopwright.exposure.feedback import Feedback
from loopwright.exposure.ledger import DecisionLedger
from loopwright.rpc import Deadline

Context = grpc.aio.ServicerContext[Any, Any]


class LedgerServicer(LedgerServiceServicer):
    """The recommender's way to the log."""

    def __init__(self, ledger: DecisionLedger) -> None:
        """Take the domain object."""
        self._ledger = ledger

    async def RecordDecision(
        self, request: ledger_pb.RecordDecisionRequest, context: Context
    ) -> ledger_pb.RecordDecisionResponse:
        """Settle one decision; see `DecisionLedger.settle`."""
        decision = decision_from_proto(request)
        return settled_to_proto(await self._ledger.settle(decision, Deadline.of(context)))


class ExposureServicer(ExposureServiceServicer):
    """The clients' way to tell what was seen and done."""

    def __init__(self, feedback: Feedback) -> None:
        """Take the domain object."""
        self._feedback = feedback

    async def ReportImpressions(
        self, request: pb.ReportImpressionsRequest, context: Context
    ) -> pb.ReportImpressionsResponse:
        """Confirm what came into view; see `Feedback.report_views`."""
        views = views_from_proto(request)
        receipt = await self._feedback.report_views(request.client_event_id, views, Deadline.of(context))
        return viewed_to_proto(receipt)

    async def ReportActions(self, request: pb.ReportActionsRequest, context: Context) -> pb.ReportActionsResponse:
        """State what a user did; see `Feedback.report_acts`."""
        acts = acts_from_proto(request)
        return acted_to_proto(await self._feedback.report_acts(acts, Deadline.of(context)))
