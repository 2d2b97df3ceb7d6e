from loopwright.api.buf.validate import validate_pb2 as _validate_pb2
from loopwright.api.common.v1 import decision_pb2 as _decision_pb2
from loopwright.api.common.v1 import tensor_pb2 as _tensor_pb2
from loopwright.api.events.v1 import decision_pb2 as _decision_pb2_1
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DecideSlateRequest(_message.Message):
    __slots__ = ("policy_version", "k", "seed", "exploration", "item_ids", "heads", "head_names", "creator_ids", "first_tag_ids", "eligibility", "guards", "content")
    POLICY_VERSION_FIELD_NUMBER: _ClassVar[int]
    K_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    EXPLORATION_FIELD_NUMBER: _ClassVar[int]
    ITEM_IDS_FIELD_NUMBER: _ClassVar[int]
    HEADS_FIELD_NUMBER: _ClassVar[int]
    HEAD_NAMES_FIELD_NUMBER: _ClassVar[int]
    CREATOR_IDS_FIELD_NUMBER: _ClassVar[int]
    FIRST_TAG_IDS_FIELD_NUMBER: _ClassVar[int]
    ELIGIBILITY_FIELD_NUMBER: _ClassVar[int]
    GUARDS_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    policy_version: str
    k: int
    seed: int
    exploration: _decision_pb2.Exploration
    item_ids: _tensor_pb2.Tensor
    heads: _tensor_pb2.Tensor
    head_names: _containers.RepeatedScalarFieldContainer[str]
    creator_ids: _tensor_pb2.Tensor
    first_tag_ids: _tensor_pb2.Tensor
    eligibility: _tensor_pb2.Tensor
    guards: _tensor_pb2.Tensor
    content: _tensor_pb2.Tensor
    def __init__(self, policy_version: _Optional[str] = ..., k: _Optional[int] = ..., seed: _Optional[int] = ..., exploration: _Optional[_Union[_decision_pb2.Exploration, str]] = ..., item_ids: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., heads: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., head_names: _Optional[_Iterable[str]] = ..., creator_ids: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., first_tag_ids: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., eligibility: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., guards: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., content: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ...) -> None: ...

class DecideSlateResponse(_message.Message):
    __slots__ = ("slate", "p_shown", "p_position", "schemes", "pre_swap_ranks", "utility", "drop_reasons", "mutations", "propensity")
    SLATE_FIELD_NUMBER: _ClassVar[int]
    P_SHOWN_FIELD_NUMBER: _ClassVar[int]
    P_POSITION_FIELD_NUMBER: _ClassVar[int]
    SCHEMES_FIELD_NUMBER: _ClassVar[int]
    PRE_SWAP_RANKS_FIELD_NUMBER: _ClassVar[int]
    UTILITY_FIELD_NUMBER: _ClassVar[int]
    DROP_REASONS_FIELD_NUMBER: _ClassVar[int]
    MUTATIONS_FIELD_NUMBER: _ClassVar[int]
    PROPENSITY_FIELD_NUMBER: _ClassVar[int]
    slate: _tensor_pb2.Tensor
    p_shown: _tensor_pb2.Tensor
    p_position: _tensor_pb2.Tensor
    schemes: _tensor_pb2.Tensor
    pre_swap_ranks: _tensor_pb2.Tensor
    utility: _tensor_pb2.Tensor
    drop_reasons: _tensor_pb2.Tensor
    mutations: _containers.RepeatedCompositeFieldContainer[_decision_pb2_1.Mutation]
    propensity: _decision_pb2_1.Propensity
    def __init__(self, slate: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., p_shown: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., p_position: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., schemes: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., pre_swap_ranks: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., utility: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., drop_reasons: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., mutations: _Optional[_Iterable[_Union[_decision_pb2_1.Mutation, _Mapping]]] = ..., propensity: _Optional[_Union[_decision_pb2_1.Propensity, _Mapping]] = ...) -> None: ...
