from __future__ import annotations

import grpc
import numpy as np
import pytest

from loopwright.api.common.v1.tensor_pb2 import Tensor
from loopwright.api.hydration.v1 import hydration_service_pb2 as pb
from loopwright.api.hydration.v1.hydration_service_pb2_grpc import (
    HydrationServiceStub,
    add_HydrationServiceServicer_to_server,
)
from loopwright.bundle import default_bundle
from loopwright.domain.enums import ActionKind
from loopwright.faults import FeatureStoreDown, RemoteFault
from loopwright.featurespec.groups import ITEM_GROUPS, USER_GROUPS
from loopwright.hydration.hydrator import Hydrator
from loopwright.hydration.rows import UserRow
from loopwright.hydration.servicer import HydrationServicer
from loopwright.pipeline.convert.items import item_columns_from_proto, item_query_to_proto
from loopwright.pipeline.convert.tensors import to_tensor
from loopwright.pipeline.convert.user import user_context_from_proto, user_query_to_proto
from loopwright.pipeline.types import ItemQuery, UserQuery
from loopwright.rpc import Mount, RpcSettings, open_channel, serving

NOW_MS = 1_700_000_000_000
KNOWN = "p" * 64
USER = UserQuery(KNOWN, bytes(range(16)), NOW_MS, USER_GROUPS, True, "r-1", 30.0)


@pytest.fixture
async def target(user_side, item_side):
    hydrator = Hydrator(user_side, item_side, {KNOWN: default_bundle()}.get)
    mount = Mount(add_HydrationServiceServicer_to_server, HydrationServicer(hydrator))
    async with serving([mount], RpcSettings()) as server:
        yield server.target


@pytest.fixture
async def stub(target):
    async with open_channel(target) as channel:
        yield HydrationServiceStub(channel)


async def context(stub):
    return user_context_from_proto(await stub.GetUserContext(user_query_to_proto(USER), timeout=5))


async def test_user_and_candidates_are_hydrated_over_the_wire(stub, memory_rows, user_states, ids):
    memory_rows.row = UserRow(
        states=user_states(("a", ActionKind.LIKE, NOW_MS - 60_000)), progress_ms=memory_rows.row.progress_ms
    )
    user = await context(stub)
    assert user.history.item_ids.tolist() == ids("a").tolist()
    assert user.degradations == ()
    query = ItemQuery(KNOWN, ids("b", "nobody"), NOW_MS, ITEM_GROUPS, user.cross)
    columns = item_columns_from_proto(await stub.GetItemColumns(item_query_to_proto(query), timeout=5))
    assert columns.external_ids == ("b", "")
    assert np.isfinite(columns.columns).all()


async def test_a_store_that_is_away_degrades_the_answer_and_does_not_fail_the_call(stub, memory_rows):
    memory_rows.fault = FeatureStoreDown()
    assert len((await context(stub)).degradations) == 1 + len(USER_GROUPS)


def changed(request, **fields):
    for name, value in fields.items():
        request.ClearField(name)
        if isinstance(value, list):
            getattr(request, name).extend(value)
        elif value is not None and not isinstance(value, (str, bytes, float)):
            getattr(request, name).CopyFrom(value)
        elif value is not None:
            setattr(request, name, value)
    return request


@pytest.mark.parametrize(
    ("fields", "kind", "reason", "field"),
    [
        ({"policy_version": "q" * 64}, "FAILED_PRECONDITION", "BUNDLE_NOT_LOADED", ""),
        ({"policy_version": ""}, "INVALID_ARGUMENT", "INVALID_REQUEST", "policy_version"),
        ({"subject": b"short"}, "INVALID_ARGUMENT", "INVALID_REQUEST", "subject"),
        ({"now": None}, "INVALID_ARGUMENT", "INVALID_REQUEST", "now"),
        ({"groups": ["nothing.v1"]}, "INVALID_ARGUMENT", "INVALID_REQUEST", "groups[0]"),
        ({"seen_days": -1.0}, "INVALID_ARGUMENT", "INVALID_REQUEST", "seen_days"),
        ({"request_id": "x" * 65}, "INVALID_ARGUMENT", "INVALID_REQUEST", "request_id"),
    ],
)
async def test_a_bad_user_query_is_refused_with_reason_and_field(stub, fields, kind, reason, field):
    with pytest.raises(RemoteFault) as refused:
        await stub.GetUserContext(changed(user_query_to_proto(USER), **fields), timeout=5)
    assert (refused.value.kind.name, refused.value.reason) == (kind, reason)
    assert [field] == [v.field for v in refused.value.violations][:1] or not field


@pytest.mark.parametrize(
    ("fields", "kind", "reason", "field"),
    [
        ({"policy_version": "q" * 64}, "FAILED_PRECONDITION", "BUNDLE_NOT_LOADED", ""),
        ({"item_ids": Tensor(**to_tensor(np.zeros(1, np.uint32)))}, "INVALID_ARGUMENT", "INVALID_REQUEST", "item_ids"),
        ({"item_ids": None}, "INVALID_ARGUMENT", "INVALID_REQUEST", "item_ids"),
        ({"cross_context": None}, "INVALID_ARGUMENT", "INVALID_REQUEST", "cross_context"),
        ({"cross_context": pb.CrossContext()}, "INVALID_ARGUMENT", "INVALID_REQUEST", "cross_context.taste"),
        ({"groups": ["user_activity.v1"]}, "INVALID_ARGUMENT", "INVALID_REQUEST", "groups[0]"),
        (
            {"item_ids": Tensor(**to_tensor(np.zeros(10_001, np.uint64)))},
            "INVALID_ARGUMENT",
            "INVALID_REQUEST",
            "item_ids",
        ),
    ],
)
async def test_a_bad_item_query_is_refused_with_reason_and_field(stub, ids, fields, kind, reason, field):
    user = await context(stub)
    request = item_query_to_proto(ItemQuery(KNOWN, ids("a"), NOW_MS, ITEM_GROUPS, user.cross))
    with pytest.raises(RemoteFault) as refused:
        await stub.GetItemColumns(changed(request, **fields), timeout=5)
    assert (refused.value.kind.name, refused.value.reason) == (kind, reason)
    assert [field] == [v.field for v in refused.value.violations][:1] or not field


async def test_a_call_without_deadline_is_refused(target):
    async with grpc.aio.insecure_channel(target) as bare:
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await HydrationServiceStub(bare).GetUserContext(user_query_to_proto(USER))
    assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT
