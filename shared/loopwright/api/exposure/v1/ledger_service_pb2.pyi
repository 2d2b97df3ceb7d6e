import datetime

from loopwright.api.buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from loopwright.api.common.v1 import decision_pb2 as _decision_pb2
from loopwright.api.events.v1 import decision_pb2 as _decision_pb2_1
from loopwright.api.recommender.v1 import recommender_service_pb2 as _recommender_service_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RecordDecisionRequest(_message.Message):
    __slots__ = ("decision", "funnel", "answer", "surface", "occurred_at")
    DECISION_FIELD_NUMBER: _ClassVar[int]
    FUNNEL_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    SURFACE_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_FIELD_NUMBER: _ClassVar[int]
    decision: _decision_pb2_1.SlateDecided
    funnel: _decision_pb2_1.Funnel
    answer: _recommender_service_pb2.RecommendResponse
    surface: str
    occurred_at: _timestamp_pb2.Timestamp
    def __init__(self, decision: _Optional[_Union[_decision_pb2_1.SlateDecided, _Mapping]] = ..., funnel: _Optional[_Union[_decision_pb2_1.Funnel, _Mapping]] = ..., answer: _Optional[_Union[_recommender_service_pb2.RecommendResponse, _Mapping]] = ..., surface: _Optional[str] = ..., occurred_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class RecordDecisionResponse(_message.Message):
    __slots__ = ("answer",)
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    answer: _recommender_service_pb2.RecommendResponse
    def __init__(self, answer: _Optional[_Union[_recommender_service_pb2.RecommendResponse, _Mapping]] = ...) -> None: ...

class RememberRecentRequest(_message.Message):
    __slots__ = ("subject", "item_ids", "purpose")
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    ITEM_IDS_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    subject: bytes
    item_ids: _containers.RepeatedScalarFieldContainer[int]
    purpose: _decision_pb2.Purpose
    def __init__(self, subject: _Optional[bytes] = ..., item_ids: _Optional[_Iterable[int]] = ..., purpose: _Optional[_Union[_decision_pb2.Purpose, str]] = ...) -> None: ...

class RememberRecentResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
