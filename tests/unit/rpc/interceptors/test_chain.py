from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import grpc
import pytest

from loopwright.rpc import fault_from_call
from loopwright.rpc.in_flight import InFlightLimit
from loopwright.rpc.interceptors.chain import interceptors
from loopwright.rpc.interceptors.deadline import DeadlineLayer
from loopwright.rpc.interceptors.errors import ErrorLayer
from loopwright.rpc.interceptors.identity import IdentityLayer, Peer
from loopwright.rpc.interceptors.limit import LimitLayer
from loopwright.rpc.interceptors.telemetry import TelemetryLayer
from loopwright.rpc.interceptors.validation import ValidationLayer


def test_the_order_is_telemetry_deadline_identity_errors_validation() -> None:
    kinds = [type(layer) for layer in interceptors()]
    assert kinds == [TelemetryLayer, DeadlineLayer, IdentityLayer, ErrorLayer, ValidationLayer]


def test_a_limit_stands_behind_the_identity_so_that_strangers_take_no_place() -> None:
    kinds = [type(layer) for layer in interceptors(limit=InFlightLimit(8, 8, 0.5))]
    assert kinds == [TelemetryLayer, DeadlineLayer, IdentityLayer, LimitLayer, ErrorLayer, ValidationLayer]


@pytest.mark.parametrize(
    ("timeout", "stranger", "text", "reason"),
    [
        (None, True, "", "DEADLINE_REQUIRED"),
        (2, True, "", "UNAUTHENTICATED"),
        (2, False, "", "INVALID_REQUEST"),
        (2, False, "x", "INTERNAL"),
    ],
)
async def test_of_several_faults_the_outermost_layer_speaks(
    echo: SimpleNamespace, monkeypatch: Any, timeout: float | None, stranger: bool, text: str, reason: str
) -> None:
    async def say(request: Any, context: Any) -> Any:
        raise ValueError

    if stranger:
        monkeypatch.setattr(Peer, "of", lambda context, tls: Peer(frozenset(), local=False, encrypted=False))
    async with echo.served(say) as server, grpc.aio.insecure_channel(server.target) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await echo.Stub(channel).Say(echo.Request(text=text), timeout=timeout)
    assert fault_from_call(caught.value).reason == reason
