"""The mesh's calls without their work: bare grpc.aio servers that pass the bytes of a decision's requests and answers.

`python -m benchmarks.serving.star leaf` and `... star front PORT...` are the processes: a front door calls five leaves
in the order of a request, one after the other, over bare channels. What it takes is what any mesh of this shape pays.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import uvloop

from benchmarks.harness.rounds import Arm
from benchmarks.serving.bundles import LARGE, SMALL, Size
from loopwright.lifecycle.memory import settle_memory

LEAVES = ("hydration", "retrieval", "ranking", "policy", "exposure")
Hop = tuple[str, int, int]
"""A call: its leaf, bytes of the request, bytes of the answer."""

HOPS: Mapping[Size, Sequence[Hop]] = {
    LARGE: (
        ("hydration", 160, 1_800), ("retrieval", 550, 100_000), ("hydration", 17_500, 245_000),
        ("ranking", 180_000, 18_000), ("policy", 37_000, 5_200), ("exposure", 9_000, 3_300),
    ),
    SMALL: (
        ("hydration", 160, 2_000), ("retrieval", 700, 25_000), ("hydration", 5_500, 61_000),
        ("ranking", 45_000, 12_000), ("policy", 37_000, 5_200), ("exposure", 9_000, 3_300),
    ),
}  # fmt: skip
"""Encoded sizes of the mesh's messages with these funnels, rounded."""

ASKED, ANSWERED = 100, 3_300
_LENGTH_BYTES = 4
_LONGEST = [("grpc.max_receive_message_length", 4 << 20)]
_ROOT = Path(__file__).parents[2]


@asynccontextmanager
async def star() -> AsyncIterator[Mapping[Size, Arm]]:
    """Run the processes; yields, for each size, one request through them."""
    async with AsyncExitStack() as stack:
        ports = [await stack.enter_async_context(_process("leaf")) for _ in LEAVES]
        front = await stack.enter_async_context(_process("front", *map(str, ports)))
        channel = await stack.enter_async_context(grpc.aio.insecure_channel(f"127.0.0.1:{front}", options=_LONGEST))
        yield {size: _asking(channel.unary_unary(_method(size))) for size in HOPS}


def _asking(call: Any) -> Arm:
    request = bytes(ASKED)
    return lambda: call(request)


@asynccontextmanager
async def _process(*arguments: str) -> AsyncIterator[int]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.serving.star", *arguments,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=_ROOT,
    )  # fmt: skip
    assert process.stdin is not None and process.stdout is not None
    try:
        yield int(await process.stdout.readline())
    finally:
        process.stdin.close()
        await process.wait()


def _method(size: Size) -> str:
    return f"/benchmarks.Star/{size.surface}"


async def leaf() -> None:
    """Answer with as many bytes as the request's first four say."""

    async def answer(request: bytes, context: Any) -> bytes:
        return bytes(int.from_bytes(request[:_LENGTH_BYTES], "little"))

    await _served({"/benchmarks.Star/leaf": answer})


async def front(ports: Sequence[str]) -> None:
    """Answer each request by the calls of its size, one after the other."""
    async with AsyncExitStack() as stack:
        calls: dict[str, Any] = {}
        for name, port in zip(LEAVES, ports, strict=True):
            opened = grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=_LONGEST)
            channel = await stack.enter_async_context(opened)
            calls[name] = channel.unary_unary("/benchmarks.Star/leaf")

        def answering(hops: Sequence[Hop]) -> Callable[..., Any]:
            requests = [
                (name, answered.to_bytes(_LENGTH_BYTES, "little") + bytes(asked - _LENGTH_BYTES))
                for name, asked, answered in hops
            ]

            async def answer(request: bytes, context: Any) -> bytes:
                for name, body in requests:
                    await calls[name](body)
                return bytes(ANSWERED)

            return answer

        await _served({_method(size): answering(hops) for size, hops in HOPS.items()})


async def _served(methods: Mapping[str, Callable[..., Any]]) -> None:
    server = grpc.aio.server(options=_LONGEST)
    service = "benchmarks.Star"
    handlers: dict[str, Any] = {
        path.rpartition("/")[2]: grpc.unary_unary_rpc_method_handler(answer) for path, answer in methods.items()
    }
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(service, handlers)])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    settle_memory()
    print(port, flush=True)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(sys.stdin, ended.set)  # the input ends with the benchmark
    await ended.wait()
    loop.remove_reader(sys.stdin)
    await server.stop(0)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(leaf() if sys.argv[1] == "leaf" else front(sys.argv[2:]))
