import datetime

from loopwright.api.buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from loopwright.api.common.v1 import decision_pb2 as _decision_pb2
from loopwright.api.common.v1 import tensor_pb2 as _tensor_pb2
from loopwright.api.retrieval.v1 import retrieval_service_pb2 as _retrieval_service_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class MaskValue(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MASK_VALUE_UNSPECIFIED: _ClassVar[MaskValue]
    MASK_VALUE_ABSENT: _ClassVar[MaskValue]
    MASK_VALUE_NOT_ANSWERED: _ClassVar[MaskValue]
MASK_VALUE_UNSPECIFIED: MaskValue
MASK_VALUE_ABSENT: MaskValue
MASK_VALUE_NOT_ANSWERED: MaskValue

class GetUserContextRequest(_message.Message):
    __slots__ = ("policy_version", "subject", "now", "groups", "read_recent", "request_id", "seen_days")
    POLICY_VERSION_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    READ_RECENT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SEEN_DAYS_FIELD_NUMBER: _ClassVar[int]
    policy_version: str
    subject: bytes
    now: _timestamp_pb2.Timestamp
    groups: _containers.RepeatedScalarFieldContainer[str]
    read_recent: bool
    request_id: str
    seen_days: float
    def __init__(self, policy_version: _Optional[str] = ..., subject: _Optional[bytes] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., groups: _Optional[_Iterable[str]] = ..., read_recent: _Optional[bool] = ..., request_id: _Optional[str] = ..., seen_days: _Optional[float] = ...) -> None: ...

class CrossContext(_message.Message):
    __slots__ = ("taste", "tag_ids", "tag_weights", "creator_ids", "creator_weights", "statistics", "locale")
    TASTE_FIELD_NUMBER: _ClassVar[int]
    TAG_IDS_FIELD_NUMBER: _ClassVar[int]
    TAG_WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    CREATOR_IDS_FIELD_NUMBER: _ClassVar[int]
    CREATOR_WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    STATISTICS_FIELD_NUMBER: _ClassVar[int]
    LOCALE_FIELD_NUMBER: _ClassVar[int]
    taste: _tensor_pb2.Tensor
    tag_ids: _tensor_pb2.Tensor
    tag_weights: _tensor_pb2.Tensor
    creator_ids: _tensor_pb2.Tensor
    creator_weights: _tensor_pb2.Tensor
    statistics: _tensor_pb2.Tensor
    locale: str
    def __init__(self, taste: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., tag_ids: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., tag_weights: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., creator_ids: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., creator_weights: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., statistics: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., locale: _Optional[str] = ...) -> None: ...

class GetUserContextResponse(_message.Message):
    __slots__ = ("columns", "group_ages_s", "group_mask", "history", "cross_context", "acted_item_ids", "viewed_item_ids", "blocked_item_ids", "blocked_creator_ids", "recent_item_ids", "stored_answer", "degradations")
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    GROUP_AGES_S_FIELD_NUMBER: _ClassVar[int]
    GROUP_MASK_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    CROSS_CONTEXT_FIELD_NUMBER: _ClassVar[int]
    ACTED_ITEM_IDS_FIELD_NUMBER: _ClassVar[int]
    VIEWED_ITEM_IDS_FIELD_NUMBER: _ClassVar[int]
    BLOCKED_ITEM_IDS_FIELD_NUMBER: _ClassVar[int]
    BLOCKED_CREATOR_IDS_FIELD_NUMBER: _ClassVar[int]
    RECENT_ITEM_IDS_FIELD_NUMBER: _ClassVar[int]
    STORED_ANSWER_FIELD_NUMBER: _ClassVar[int]
    DEGRADATIONS_FIELD_NUMBER: _ClassVar[int]
    columns: _tensor_pb2.Tensor
    group_ages_s: _tensor_pb2.Tensor
    group_mask: _tensor_pb2.Tensor
    history: _retrieval_service_pb2.History
    cross_context: CrossContext
    acted_item_ids: _tensor_pb2.Tensor
    viewed_item_ids: _tensor_pb2.Tensor
    blocked_item_ids: _tensor_pb2.Tensor
    blocked_creator_ids: _tensor_pb2.Tensor
    recent_item_ids: _tensor_pb2.Tensor
    stored_answer: bytes
    degradations: _containers.RepeatedCompositeFieldContainer[_decision_pb2.Degradation]
    def __init__(self, columns: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., group_ages_s: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., group_mask: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., history: _Optional[_Union[_retrieval_service_pb2.History, _Mapping]] = ..., cross_context: _Optional[_Union[CrossContext, _Mapping]] = ..., acted_item_ids: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., viewed_item_ids: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., blocked_item_ids: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., blocked_creator_ids: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., recent_item_ids: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., stored_answer: _Optional[bytes] = ..., degradations: _Optional[_Iterable[_Union[_decision_pb2.Degradation, _Mapping]]] = ...) -> None: ...

class GetItemColumnsRequest(_message.Message):
    __slots__ = ("policy_version", "item_ids", "now", "groups", "cross_context")
    POLICY_VERSION_FIELD_NUMBER: _ClassVar[int]
    ITEM_IDS_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    CROSS_CONTEXT_FIELD_NUMBER: _ClassVar[int]
    policy_version: str
    item_ids: _tensor_pb2.Tensor
    now: _timestamp_pb2.Timestamp
    groups: _containers.RepeatedScalarFieldContainer[str]
    cross_context: CrossContext
    def __init__(self, policy_version: _Optional[str] = ..., item_ids: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., groups: _Optional[_Iterable[str]] = ..., cross_context: _Optional[_Union[CrossContext, _Mapping]] = ...) -> None: ...

class GetItemColumnsResponse(_message.Message):
    __slots__ = ("columns", "group_ages_s", "group_mask", "creator_ids", "first_tag_ids", "eligibility", "content", "external_ids", "external_id_offsets", "degradations")
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    GROUP_AGES_S_FIELD_NUMBER: _ClassVar[int]
    GROUP_MASK_FIELD_NUMBER: _ClassVar[int]
    CREATOR_IDS_FIELD_NUMBER: _ClassVar[int]
    FIRST_TAG_IDS_FIELD_NUMBER: _ClassVar[int]
    ELIGIBILITY_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_IDS_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_ID_OFFSETS_FIELD_NUMBER: _ClassVar[int]
    DEGRADATIONS_FIELD_NUMBER: _ClassVar[int]
    columns: _tensor_pb2.Tensor
    group_ages_s: _tensor_pb2.Tensor
    group_mask: _tensor_pb2.Tensor
    creator_ids: _tensor_pb2.Tensor
    first_tag_ids: _tensor_pb2.Tensor
    eligibility: _tensor_pb2.Tensor
    content: _tensor_pb2.Tensor
    external_ids: bytes
    external_id_offsets: _tensor_pb2.Tensor
    degradations: _containers.RepeatedCompositeFieldContainer[_decision_pb2.Degradation]
    def __init__(self, columns: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., group_ages_s: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., group_mask: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., creator_ids: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., first_tag_ids: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., eligibility: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., content: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., external_ids: _Optional[bytes] = ..., external_id_offsets: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., degradations: _Optional[_Iterable[_Union[_decision_pb2.Degradation, _Mapping]]] = ...) -> None: ...
