"""Whether a service answers: a gRPC server by its health, a consumer by its metrics endpoint."""

from __future__ import annotations

import asyncio
import urllib.request
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

PROBE_TIMEOUT_S = 1.0


async def serving(target: str) -> bool:
    """Say whether the gRPC server at `target` reports itself as SERVING."""
    async with grpc.aio.insecure_channel(target) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        try:
            answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=PROBE_TIMEOUT_S)
        except grpc.aio.AioRpcError:
            return False
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


async def answering(url: str) -> bool:
    """Say whether an HTTP endpoint answers."""

    def ask() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=PROBE_TIMEOUT_S) as response:
                return int(response.status) == 200
        except OSError:
            return False

    return await asyncio.to_thread(ask)
