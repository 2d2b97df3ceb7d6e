import datetime

from loopwright.api.buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from loopwright.api.common.v1 import decision_pb2 as _decision_pb2
from loopwright.api.events.v1 import decision_pb2 as _decision_pb2_1
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RecommendRequest(_message.Message):
    __slots__ = ("request_id", "user_id", "anonymous_id", "surface", "session_id", "page_start", "k", "query_text", "anchor_item_ids", "exclude_item_ids", "locale", "client_version", "purpose", "decide_at", "exploration", "record_funnel")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    ANONYMOUS_ID_FIELD_NUMBER: _ClassVar[int]
    SURFACE_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_START_FIELD_NUMBER: _ClassVar[int]
    K_FIELD_NUMBER: _ClassVar[int]
    QUERY_TEXT_FIELD_NUMBER: _ClassVar[int]
    ANCHOR_ITEM_IDS_FIELD_NUMBER: _ClassVar[int]
    EXCLUDE_ITEM_IDS_FIELD_NUMBER: _ClassVar[int]
    LOCALE_FIELD_NUMBER: _ClassVar[int]
    CLIENT_VERSION_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    DECIDE_AT_FIELD_NUMBER: _ClassVar[int]
    EXPLORATION_FIELD_NUMBER: _ClassVar[int]
    RECORD_FUNNEL_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    user_id: str
    anonymous_id: str
    surface: str
    session_id: str
    page_start: int
    k: int
    query_text: str
    anchor_item_ids: _containers.RepeatedScalarFieldContainer[str]
    exclude_item_ids: _containers.RepeatedScalarFieldContainer[str]
    locale: str
    client_version: str
    purpose: _decision_pb2.Purpose
    decide_at: _timestamp_pb2.Timestamp
    exploration: _decision_pb2.Exploration
    record_funnel: bool
    def __init__(self, request_id: _Optional[str] = ..., user_id: _Optional[str] = ..., anonymous_id: _Optional[str] = ..., surface: _Optional[str] = ..., session_id: _Optional[str] = ..., page_start: _Optional[int] = ..., k: _Optional[int] = ..., query_text: _Optional[str] = ..., anchor_item_ids: _Optional[_Iterable[str]] = ..., exclude_item_ids: _Optional[_Iterable[str]] = ..., locale: _Optional[str] = ..., client_version: _Optional[str] = ..., purpose: _Optional[_Union[_decision_pb2.Purpose, str]] = ..., decide_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., exploration: _Optional[_Union[_decision_pb2.Exploration, str]] = ..., record_funnel: _Optional[bool] = ...) -> None: ...

class RecommendResponse(_message.Message):
    __slots__ = ("decision_id", "versions", "arm", "items", "degradations", "decided_at", "replayed")
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    ARM_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    DEGRADATIONS_FIELD_NUMBER: _ClassVar[int]
    DECIDED_AT_FIELD_NUMBER: _ClassVar[int]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    decision_id: str
    versions: _decision_pb2.Versions
    arm: str
    items: _containers.RepeatedCompositeFieldContainer[RecommendedItem]
    degradations: _containers.RepeatedCompositeFieldContainer[_decision_pb2.Degradation]
    decided_at: _timestamp_pb2.Timestamp
    replayed: bool
    def __init__(self, decision_id: _Optional[str] = ..., versions: _Optional[_Union[_decision_pb2.Versions, _Mapping]] = ..., arm: _Optional[str] = ..., items: _Optional[_Iterable[_Union[RecommendedItem, _Mapping]]] = ..., degradations: _Optional[_Iterable[_Union[_decision_pb2.Degradation, _Mapping]]] = ..., decided_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., replayed: _Optional[bool] = ...) -> None: ...

class RecommendedItem(_message.Message):
    __slots__ = ("item_id", "position", "sources", "p_shown", "p_position", "scheme", "exposure_token")
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    P_SHOWN_FIELD_NUMBER: _ClassVar[int]
    P_POSITION_FIELD_NUMBER: _ClassVar[int]
    SCHEME_FIELD_NUMBER: _ClassVar[int]
    EXPOSURE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    item_id: str
    position: int
    sources: _containers.RepeatedScalarFieldContainer[_decision_pb2.CandidateSource]
    p_shown: float
    p_position: float
    scheme: _decision_pb2.Scheme
    exposure_token: str
    def __init__(self, item_id: _Optional[str] = ..., position: _Optional[int] = ..., sources: _Optional[_Iterable[_Union[_decision_pb2.CandidateSource, str]]] = ..., p_shown: _Optional[float] = ..., p_position: _Optional[float] = ..., scheme: _Optional[_Union[_decision_pb2.Scheme, str]] = ..., exposure_token: _Optional[str] = ...) -> None: ...

class ExplainRequest(_message.Message):
    __slots__ = ("decision_id",)
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    decision_id: str
    def __init__(self, decision_id: _Optional[str] = ...) -> None: ...

class ExplainResponse(_message.Message):
    __slots__ = ("decision", "funnel", "item_ids", "occurred_at", "surface", "versions")
    DECISION_FIELD_NUMBER: _ClassVar[int]
    FUNNEL_FIELD_NUMBER: _ClassVar[int]
    ITEM_IDS_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_FIELD_NUMBER: _ClassVar[int]
    SURFACE_FIELD_NUMBER: _ClassVar[int]
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    decision: _decision_pb2_1.SlateDecided
    funnel: _decision_pb2_1.Funnel
    item_ids: _containers.RepeatedScalarFieldContainer[str]
    occurred_at: _timestamp_pb2.Timestamp
    surface: str
    versions: _decision_pb2.Versions
    def __init__(self, decision: _Optional[_Union[_decision_pb2_1.SlateDecided, _Mapping]] = ..., funnel: _Optional[_Union[_decision_pb2_1.Funnel, _Mapping]] = ..., item_ids: _Optional[_Iterable[str]] = ..., occurred_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., surface: _Optional[str] = ..., versions: _Optional[_Union[_decision_pb2.Versions, _Mapping]] = ...) -> None: ...
