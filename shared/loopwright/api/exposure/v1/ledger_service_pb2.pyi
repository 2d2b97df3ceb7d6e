import datetime

from loopwright.api.buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from loopwright.api.events.v1 import decision_pb2 as _decision_pb2
from loopwright.api.recommender.v1 import recommender_service_pb2 as _recommender_service_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RecordDecisionRequest(_message.Message):
    __slots__ = ("decision", "funnel", "answer", "surface", "occurred_at")
    DECISION_FIELD_NUMBER: _ClassVar[int]
    FUNNEL_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    SURFACE_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_FIELD_NUMBER: _ClassVar[int]
    decision: _decision_pb2.SlateDecided
    funnel: _decision_pb2.Funnel
    answer: _recommender_service_pb2.RecommendResponse
    surface: str
    occurred_at: _timestamp_pb2.Timestamp
    def __init__(self, decision: _Optional[_Union[_decision_pb2.SlateDecided, _Mapping]] = ..., funnel: _Optional[_Union[_decision_pb2.Funnel, _Mapping]] = ..., answer: _Optional[_Union[_recommender_service_pb2.RecommendResponse, _Mapping]] = ..., surface: _Optional[str] = ..., occurred_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class RecordDecisionResponse(_message.Message):
    __slots__ = ("answer",)
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    answer: _recommender_service_pb2.RecommendResponse
    def __init__(self, answer: _Optional[_Union[_recommender_service_pb2.RecommendResponse, _Mapping]] = ...) -> None: ...
