import datetime

from loopwright.api.buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from loopwright.api.common.v1 import decision_pb2 as _decision_pb2
from loopwright.api.common.v1 import tensor_pb2 as _tensor_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class History(_message.Message):
    __slots__ = ("item_ids", "kinds", "values", "ages_s", "liked")
    ITEM_IDS_FIELD_NUMBER: _ClassVar[int]
    KINDS_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    AGES_S_FIELD_NUMBER: _ClassVar[int]
    LIKED_FIELD_NUMBER: _ClassVar[int]
    item_ids: _tensor_pb2.Tensor
    kinds: _tensor_pb2.Tensor
    values: _tensor_pb2.Tensor
    ages_s: _tensor_pb2.Tensor
    liked: _tensor_pb2.Tensor
    def __init__(self, item_ids: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., kinds: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., values: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., ages_s: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., liked: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ...) -> None: ...

class SourcePlan(_message.Message):
    __slots__ = ("source", "quota", "weight", "budget_ms")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    QUOTA_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    BUDGET_MS_FIELD_NUMBER: _ClassVar[int]
    source: _decision_pb2.CandidateSource
    quota: int
    weight: float
    budget_ms: int
    def __init__(self, source: _Optional[_Union[_decision_pb2.CandidateSource, str]] = ..., quota: _Optional[int] = ..., weight: _Optional[float] = ..., budget_ms: _Optional[int] = ...) -> None: ...

class RetrieveRequest(_message.Message):
    __slots__ = ("policy_version", "two_tower_version", "now", "history", "avoid_item_ids", "anchor_item_ids", "sources", "max_candidates", "fresh_days")
    POLICY_VERSION_FIELD_NUMBER: _ClassVar[int]
    TWO_TOWER_VERSION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    AVOID_ITEM_IDS_FIELD_NUMBER: _ClassVar[int]
    ANCHOR_ITEM_IDS_FIELD_NUMBER: _ClassVar[int]
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    MAX_CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    FRESH_DAYS_FIELD_NUMBER: _ClassVar[int]
    policy_version: str
    two_tower_version: str
    now: _timestamp_pb2.Timestamp
    history: History
    avoid_item_ids: _tensor_pb2.Tensor
    anchor_item_ids: _tensor_pb2.Tensor
    sources: _containers.RepeatedCompositeFieldContainer[SourcePlan]
    max_candidates: int
    fresh_days: float
    def __init__(self, policy_version: _Optional[str] = ..., two_tower_version: _Optional[str] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., history: _Optional[_Union[History, _Mapping]] = ..., avoid_item_ids: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., anchor_item_ids: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., sources: _Optional[_Iterable[_Union[SourcePlan, _Mapping]]] = ..., max_candidates: _Optional[int] = ..., fresh_days: _Optional[float] = ...) -> None: ...

class SourceReport(_message.Message):
    __slots__ = ("source", "count", "latency_us", "failed", "reason")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    LATENCY_US_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    source: _decision_pb2.CandidateSource
    count: int
    latency_us: int
    failed: bool
    reason: str
    def __init__(self, source: _Optional[_Union[_decision_pb2.CandidateSource, str]] = ..., count: _Optional[int] = ..., latency_us: _Optional[int] = ..., failed: _Optional[bool] = ..., reason: _Optional[str] = ...) -> None: ...

class RetrieveResponse(_message.Message):
    __slots__ = ("item_ids", "fused_scores", "source_ranks", "source_scores", "signals", "signal_names", "reports", "index_epoch")
    ITEM_IDS_FIELD_NUMBER: _ClassVar[int]
    FUSED_SCORES_FIELD_NUMBER: _ClassVar[int]
    SOURCE_RANKS_FIELD_NUMBER: _ClassVar[int]
    SOURCE_SCORES_FIELD_NUMBER: _ClassVar[int]
    SIGNALS_FIELD_NUMBER: _ClassVar[int]
    SIGNAL_NAMES_FIELD_NUMBER: _ClassVar[int]
    REPORTS_FIELD_NUMBER: _ClassVar[int]
    INDEX_EPOCH_FIELD_NUMBER: _ClassVar[int]
    item_ids: _tensor_pb2.Tensor
    fused_scores: _tensor_pb2.Tensor
    source_ranks: _tensor_pb2.Tensor
    source_scores: _tensor_pb2.Tensor
    signals: _tensor_pb2.Tensor
    signal_names: _containers.RepeatedScalarFieldContainer[str]
    reports: _containers.RepeatedCompositeFieldContainer[SourceReport]
    index_epoch: str
    def __init__(self, item_ids: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., fused_scores: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., source_ranks: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., source_scores: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., signals: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., signal_names: _Optional[_Iterable[str]] = ..., reports: _Optional[_Iterable[_Union[SourceReport, _Mapping]]] = ..., index_epoch: _Optional[str] = ...) -> None: ...
