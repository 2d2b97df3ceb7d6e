from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright.api.common.v1.tensor_pb2 import Tensor
from loopwright.api.policy.v1 import slate_service_pb2 as slates
from loopwright.faults import InvalidRequest, MalformedMessage, RemoteFault
from loopwright.rpc import fault_from_call, open_channel
from loopwright.rpc.interceptors.validation import Doubtful, Undecodable, checked, guarded


@pytest.mark.parametrize(("path", "kind"), [("Say", "unary_unary"), ("Collect", "stream_unary")])
async def test_malformed_bytes_are_invalid_argument_and_leak_nothing(
    echo: SimpleNamespace, path: str, kind: str
) -> None:
    async with echo.served() as server, grpc.aio.insecure_channel(server.target) as channel:
        call = getattr(channel, kind)(f"/{echo.SERVICE}/{path}")
        bad = b"\x0a\xff\xff"
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call(bad if kind == "unary_unary" else iter([bad]), timeout=2)
    fault = fault_from_call(caught.value)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert (fault.reason, fault.message) == ("MALFORMED_MESSAGE", "The bytes of the message do not decode.")


async def test_broken_rules_name_field_and_rule_and_reach_no_handler(echo: SimpleNamespace) -> None:
    async with echo.served() as server, open_channel(server.target) as channel:
        with pytest.raises(RemoteFault) as caught:
            await echo.Stub(channel).Say(echo.Request(text="", items=[{"item_id": 0}]), timeout=2)
        assert server.servicer.calls == 0
    assert caught.value.reason == "INVALID_REQUEST"
    assert {(v.field, v.rule) for v in caught.value.violations} == {
        ("text", "string.min_len"),
        ("items[0].item_id", "uint64.gt"),
    }


async def test_each_message_of_a_stream_is_checked_as_it_comes(echo: SimpleNamespace) -> None:
    got: list[str] = []
    async with echo.served() as server, open_channel(server.target) as channel:
        with pytest.raises(RemoteFault) as caught:
            async for answer in echo.Stub(channel).Chat(echo.stream_of("a", "b", ""), timeout=2):
                got.append(answer.text)
    assert caught.value.reason == "INVALID_REQUEST"
    assert got == ["a", "b"]


@given(data=st.binary(max_size=64))
def test_a_guarded_decoder_never_raises(data: bytes) -> None:
    def decode(raw: bytes) -> str:
        return raw.decode("utf-8")

    found = guarded(decode, rules=False)(data)
    assert isinstance(found, str | Undecodable)
    if isinstance(found, Undecodable):
        with pytest.raises(MalformedMessage) as caught:
            checked(found)
        assert caught.value.__cause__ is found.error


def test_what_the_decoder_vouches_for_goes_past_the_validator() -> None:
    decode = guarded(slates.DecideSlateRequest.FromString)
    assert isinstance(decode(slates.DecideSlateRequest(k=0).SerializeToString()), Doubtful)
    vouched = decode(decision("p" * 8).SerializeToString())
    assert vouched == decision("p" * 8)
    assert checked(vouched) is vouched


def test_a_doubtful_request_is_the_message_when_the_validator_finds_nothing(echo: SimpleNamespace) -> None:
    decode = guarded(echo.Request.FromString)
    assert checked(decode(echo.Request(text="x").SerializeToString())) == echo.Request(text="x")
    with pytest.raises(InvalidRequest):
        checked(decode(echo.Request(text="").SerializeToString()))


def decision(version: str) -> slates.DecideSlateRequest:
    """Return a request that keeps its rules, of one candidate."""
    one = Tensor(dtype="DTYPE_UINT64", shape=[1], data=bytes(8))
    columns = ("item_ids", "heads", "creator_ids", "first_tag_ids", "eligibility", "guards", "content")
    tensors: dict[str, Any] = dict.fromkeys(columns, one)
    return slates.DecideSlateRequest(policy_version=version, k=1, exploration=1, head_names=["h"], **tensors)  # type: ignore[arg-type]
