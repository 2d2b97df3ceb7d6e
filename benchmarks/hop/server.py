"""`python -m benchmarks.hop.server bare|ours`: serves an echo until its input ends; prints its port when it serves."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any

import grpc

from benchmarks.hop.payload import SIZES, score_response
from benchmarks.hop.spans import spans_on
from loopwright.api.ranking.v1.ranking_service_pb2 import ScoreRequest, ScoreResponse
from loopwright.api.ranking.v1.ranking_service_pb2_grpc import (
    RankingServiceServicer,
    add_RankingServiceServicer_to_server,
)
from loopwright.lifecycle.memory import settle_memory
from loopwright.rpc import Mount, RpcSettings, run, serving

ECHO = "/benchmarks.Echo/Echo"


class Scores(RankingServiceServicer):
    """Answers with a message made before, as large as the request."""

    def __init__(self) -> None:
        self._answers = [score_response(size) for size in SIZES.values()]

    async def Score(self, request: ScoreRequest, context: Any) -> ScoreResponse:
        """Answer."""
        return self._answers[request.position - 1]


async def ours() -> None:
    """Serve as every service of the mesh does: validation, deadlines, identity, spans, metrics, limit."""
    spans_on("hop-server")
    mount = Mount(add_RankingServiceServicer_to_server, Scores())
    async with serving([mount], RpcSettings(max_in_flight=64)) as state:
        await _until_told(state.port)


async def bare() -> None:
    """Serve the bytes as they come."""

    async def echo(request: bytes, context: Any) -> bytes:
        return request

    server = grpc.aio.server(options=[("grpc.max_receive_message_length", 4 << 20)])
    service, _, method = ECHO[1:].partition("/")
    handlers: dict[str, Any] = {method: grpc.unary_unary_rpc_method_handler(echo)}
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(service, handlers)])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    await _until_told(port)
    await server.stop(0)


async def _until_told(port: int) -> None:
    settle_memory()
    print(port, flush=True)
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_reader(sys.stdin, _read, ended.set)
    await ended.wait()
    loop.remove_reader(sys.stdin)


def _read(end: Callable[[], None]) -> None:
    if not sys.stdin.read(1):
        end()


if __name__ == "__main__":
    run({"bare": bare, "ours": ours}[sys.argv[1]])
