"""The ingest service as the importer calls it; domain values in and out, but for the batches of its streams."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from loopwright.api.ingest.v1 import ingest_service_pb2 as pb
from loopwright.api.ingest.v1.ingest_service_pb2_grpc import IngestServiceStub
from loopwright.pipeline.convert.parsing import timestamp

CALL_WITHIN_S = 30.0


@dataclass(frozen=True, slots=True)
class Watermarks:
    """How far the log reaches, in mesh milliseconds; None where it holds nothing yet.

    Attributes:
        mesh_ms: Mesh time now.
        newest_ms: The newest fact.
        newest_organic_ms: The newest organic interaction.
        dedup_window_ms: How much older than that one an interaction may be.
        clock_fixed: Whether a SERVE decision has fixed the mesh clock.
    """

    mesh_ms: int
    newest_ms: int | None
    newest_organic_ms: int | None
    dedup_window_ms: int
    clock_fixed: bool


class IngestClient:
    """IngestService; `items` and `interactions` are its streams, for `stream.send_batches`."""

    def __init__(self, channel: Any) -> None:
        """Take an open channel."""
        stub = IngestServiceStub(channel)
        self._stub = stub
        self.items: Any = stub.IngestItems
        self.interactions: Any = stub.IngestInteractions

    async def watermarks(self) -> Watermarks:
        """Return how far the log reaches."""
        marks = await self._stub.GetWatermarks(pb.GetWatermarksRequest(), timeout=CALL_WITHIN_S)

        def known(field: str) -> int | None:
            return int(getattr(marks, field).ToMilliseconds()) if marks.HasField(field) else None

        return Watermarks(
            mesh_ms=marks.mesh_time.ToMilliseconds(),
            newest_ms=known("newest_occurred_at"),
            newest_organic_ms=known("newest_organic_at"),
            dedup_window_ms=int(marks.dedup_window_s) * 1000,
            clock_fixed=marks.clock_fixed,
        )

    async def set_clock(self, mesh_ms: int, cause: str) -> None:
        """Set mesh time.

        Raises:
            RemoteFault: CLOCK_REFUSED: a SERVE decision fixed it, or a fact on the log is later.
        """
        await self._stub.SetClock(pb.SetClockRequest(mesh_time=timestamp(mesh_ms), cause=cause), timeout=CALL_WITHIN_S)
