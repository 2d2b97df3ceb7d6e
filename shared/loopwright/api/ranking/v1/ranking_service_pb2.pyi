from loopwright.api.buf.validate import validate_pb2 as _validate_pb2
from loopwright.api.common.v1 import tensor_pb2 as _tensor_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ScoreRequest(_message.Message):
    __slots__ = ("policy_version", "pre_ranker_version", "ranker_version", "feature_groups", "item_ids", "user_columns", "item_columns", "signals", "position", "best_n")
    POLICY_VERSION_FIELD_NUMBER: _ClassVar[int]
    PRE_RANKER_VERSION_FIELD_NUMBER: _ClassVar[int]
    RANKER_VERSION_FIELD_NUMBER: _ClassVar[int]
    FEATURE_GROUPS_FIELD_NUMBER: _ClassVar[int]
    ITEM_IDS_FIELD_NUMBER: _ClassVar[int]
    USER_COLUMNS_FIELD_NUMBER: _ClassVar[int]
    ITEM_COLUMNS_FIELD_NUMBER: _ClassVar[int]
    SIGNALS_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    BEST_N_FIELD_NUMBER: _ClassVar[int]
    policy_version: str
    pre_ranker_version: str
    ranker_version: str
    feature_groups: _containers.RepeatedScalarFieldContainer[str]
    item_ids: _tensor_pb2.Tensor
    user_columns: _tensor_pb2.Tensor
    item_columns: _tensor_pb2.Tensor
    signals: _tensor_pb2.Tensor
    position: int
    best_n: int
    def __init__(self, policy_version: _Optional[str] = ..., pre_ranker_version: _Optional[str] = ..., ranker_version: _Optional[str] = ..., feature_groups: _Optional[_Iterable[str]] = ..., item_ids: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., user_columns: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., item_columns: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., signals: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., position: _Optional[int] = ..., best_n: _Optional[int] = ...) -> None: ...

class ScoreResponse(_message.Message):
    __slots__ = ("pre_scores", "best", "heads", "head_names")
    PRE_SCORES_FIELD_NUMBER: _ClassVar[int]
    BEST_FIELD_NUMBER: _ClassVar[int]
    HEADS_FIELD_NUMBER: _ClassVar[int]
    HEAD_NAMES_FIELD_NUMBER: _ClassVar[int]
    pre_scores: _tensor_pb2.Tensor
    best: _tensor_pb2.Tensor
    heads: _tensor_pb2.Tensor
    head_names: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, pre_scores: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., best: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., heads: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., head_names: _Optional[_Iterable[str]] = ...) -> None: ...
