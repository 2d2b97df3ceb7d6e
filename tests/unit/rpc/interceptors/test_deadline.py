from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import grpc
import pytest

from loopwright.rpc import current_deadline, fault_from_call, open_channel


@pytest.mark.parametrize("kind", ["Say", "Collect"])
async def test_a_call_without_a_deadline_is_refused_before_the_handler(echo: SimpleNamespace, kind: str) -> None:
    async with echo.served() as server, grpc.aio.insecure_channel(server.target) as channel:
        stub = echo.Stub(channel)
        request = echo.Request(text="x") if kind == "Say" else echo.stream_of("x")
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await getattr(stub, kind)(request)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert fault_from_call(caught.value).reason == "DEADLINE_REQUIRED"
    assert server.servicer.calls == 0


async def test_the_deadline_is_current_inside_unary_and_streaming_handlers(echo: SimpleNamespace) -> None:
    async def say(request: Any, context: Any) -> Any:
        deadline = current_deadline()
        return echo.Response(text=str(deadline is not None and 0 < deadline.remaining() <= 7.1))

    async with echo.served(say) as server, open_channel(server.target) as channel:
        assert (await echo.Stub(channel).Say(echo.Request(text="x"), timeout=7)).text == "True"
        answers = [a.text async for a in echo.Stub(channel).Count(echo.Request(text="x"), timeout=7)]
    assert answers == ["first", "True"]
    assert current_deadline() is None
