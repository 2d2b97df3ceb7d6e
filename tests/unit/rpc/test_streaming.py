from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from loopwright.faults import InvalidRequest, RemoteFault
from loopwright.rpc import Mount, RpcSettings, open_channel, serving


@pytest.mark.parametrize("size", [1, 20_000])
async def test_a_refusal_that_crosses_the_clients_writes_is_told_as_it_is(echo: SimpleNamespace, size: int) -> None:
    class Refusing(echo.Servicer):  # type: ignore[misc, name-defined]
        async def Collect(self, requests: Any, context: Any) -> Any:
            await anext(requests)
            raise InvalidRequest()

        async def Chat(self, requests: Any, context: Any) -> AsyncIterator[Any]:
            await anext(requests)
            yield echo.Response(text="first")
            raise InvalidRequest()

    async def many() -> AsyncIterator[Any]:
        for _ in range(100):
            yield echo.Request(text="x" * size)

    reasons: list[str] = []
    async with _serving(echo, Refusing()) as target, open_channel(target) as channel:
        stub = echo.Stub(channel)
        for _ in range(20):
            with pytest.raises(RemoteFault) as caught:
                await stub.Collect(many(), timeout=10)
            reasons.append(caught.value.reason)
            with pytest.raises(RemoteFault) as caught:
                async for answer in stub.Chat(many(), timeout=10):
                    assert answer.text == "first"
            reasons.append(caught.value.reason)
    assert set(reasons) == {"INVALID_REQUEST"}


@asynccontextmanager
async def _serving(echo: SimpleNamespace, servicer: Any) -> AsyncIterator[str]:
    async with serving([Mount(echo.add, servicer)], RpcSettings(grace_s=0.5)) as state:
        yield state.target
