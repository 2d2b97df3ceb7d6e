import datetime

from loopwright.api.buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from loopwright.api.events.v1 import feedback_pb2 as _feedback_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Impression(_message.Message):
    __slots__ = ("exposure_token", "view_time", "seen")
    EXPOSURE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    VIEW_TIME_FIELD_NUMBER: _ClassVar[int]
    SEEN_FIELD_NUMBER: _ClassVar[int]
    exposure_token: str
    view_time: _duration_pb2.Duration
    seen: bool
    def __init__(self, exposure_token: _Optional[str] = ..., view_time: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., seen: _Optional[bool] = ...) -> None: ...

class ReportImpressionsRequest(_message.Message):
    __slots__ = ("client_event_id", "impressions")
    CLIENT_EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    IMPRESSIONS_FIELD_NUMBER: _ClassVar[int]
    client_event_id: str
    impressions: _containers.RepeatedCompositeFieldContainer[Impression]
    def __init__(self, client_event_id: _Optional[str] = ..., impressions: _Optional[_Iterable[_Union[Impression, _Mapping]]] = ...) -> None: ...

class ReportImpressionsResponse(_message.Message):
    __slots__ = ("duplicate", "late")
    DUPLICATE_FIELD_NUMBER: _ClassVar[int]
    LATE_FIELD_NUMBER: _ClassVar[int]
    duplicate: bool
    late: bool
    def __init__(self, duplicate: _Optional[bool] = ..., late: _Optional[bool] = ...) -> None: ...

class Action(_message.Message):
    __slots__ = ("exposure_token", "client_event_id", "kind", "value", "occurred_at")
    EXPOSURE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    CLIENT_EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_FIELD_NUMBER: _ClassVar[int]
    exposure_token: str
    client_event_id: str
    kind: _feedback_pb2.ActionKind
    value: float
    occurred_at: _timestamp_pb2.Timestamp
    def __init__(self, exposure_token: _Optional[str] = ..., client_event_id: _Optional[str] = ..., kind: _Optional[_Union[_feedback_pb2.ActionKind, str]] = ..., value: _Optional[float] = ..., occurred_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ReportActionsRequest(_message.Message):
    __slots__ = ("actions",)
    ACTIONS_FIELD_NUMBER: _ClassVar[int]
    actions: _containers.RepeatedCompositeFieldContainer[Action]
    def __init__(self, actions: _Optional[_Iterable[_Union[Action, _Mapping]]] = ...) -> None: ...

class ActionReceipt(_message.Message):
    __slots__ = ("duplicate", "late")
    DUPLICATE_FIELD_NUMBER: _ClassVar[int]
    LATE_FIELD_NUMBER: _ClassVar[int]
    duplicate: bool
    late: bool
    def __init__(self, duplicate: _Optional[bool] = ..., late: _Optional[bool] = ...) -> None: ...

class ReportActionsResponse(_message.Message):
    __slots__ = ("receipts",)
    RECEIPTS_FIELD_NUMBER: _ClassVar[int]
    receipts: _containers.RepeatedCompositeFieldContainer[ActionReceipt]
    def __init__(self, receipts: _Optional[_Iterable[_Union[ActionReceipt, _Mapping]]] = ...) -> None: ...
