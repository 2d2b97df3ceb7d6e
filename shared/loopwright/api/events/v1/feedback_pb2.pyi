import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ActionKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACTION_KIND_UNSPECIFIED: _ClassVar[ActionKind]
    ACTION_KIND_CLICK: _ClassVar[ActionKind]
    ACTION_KIND_SKIP: _ClassVar[ActionKind]
    ACTION_KIND_DWELL: _ClassVar[ActionKind]
    ACTION_KIND_LIKE: _ClassVar[ActionKind]
    ACTION_KIND_SHARE: _ClassVar[ActionKind]
    ACTION_KIND_PURCHASE: _ClassVar[ActionKind]
    ACTION_KIND_COMPLETE: _ClassVar[ActionKind]
    ACTION_KIND_APPLY: _ClassVar[ActionKind]
    ACTION_KIND_HIDE: _ClassVar[ActionKind]
    ACTION_KIND_BLOCK: _ClassVar[ActionKind]
    ACTION_KIND_REPORT: _ClassVar[ActionKind]
    ACTION_KIND_REFUND: _ClassVar[ActionKind]
    ACTION_KIND_RETURN: _ClassVar[ActionKind]
    ACTION_KIND_ABANDON: _ClassVar[ActionKind]
    ACTION_KIND_SURVEY: _ClassVar[ActionKind]
    ACTION_KIND_SESSION_RETURN: _ClassVar[ActionKind]
    ACTION_KIND_RATE: _ClassVar[ActionKind]
ACTION_KIND_UNSPECIFIED: ActionKind
ACTION_KIND_CLICK: ActionKind
ACTION_KIND_SKIP: ActionKind
ACTION_KIND_DWELL: ActionKind
ACTION_KIND_LIKE: ActionKind
ACTION_KIND_SHARE: ActionKind
ACTION_KIND_PURCHASE: ActionKind
ACTION_KIND_COMPLETE: ActionKind
ACTION_KIND_APPLY: ActionKind
ACTION_KIND_HIDE: ActionKind
ACTION_KIND_BLOCK: ActionKind
ACTION_KIND_REPORT: ActionKind
ACTION_KIND_REFUND: ActionKind
ACTION_KIND_RETURN: ActionKind
ACTION_KIND_ABANDON: ActionKind
ACTION_KIND_SURVEY: ActionKind
ACTION_KIND_SESSION_RETURN: ActionKind
ACTION_KIND_RATE: ActionKind

class ViewedItem(_message.Message):
    __slots__ = ("item_id", "position", "view_time", "seen")
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    VIEW_TIME_FIELD_NUMBER: _ClassVar[int]
    SEEN_FIELD_NUMBER: _ClassVar[int]
    item_id: int
    position: int
    view_time: _duration_pb2.Duration
    seen: bool
    def __init__(self, item_id: _Optional[int] = ..., position: _Optional[int] = ..., view_time: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., seen: _Optional[bool] = ...) -> None: ...

class ItemsViewed(_message.Message):
    __slots__ = ("decision_id", "subject", "items", "late")
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    LATE_FIELD_NUMBER: _ClassVar[int]
    decision_id: bytes
    subject: bytes
    items: _containers.RepeatedCompositeFieldContainer[ViewedItem]
    late: bool
    def __init__(self, decision_id: _Optional[bytes] = ..., subject: _Optional[bytes] = ..., items: _Optional[_Iterable[_Union[ViewedItem, _Mapping]]] = ..., late: _Optional[bool] = ...) -> None: ...

class ActionTaken(_message.Message):
    __slots__ = ("decision_id", "subject", "item_id", "position", "kind", "value", "liked", "late")
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    LIKED_FIELD_NUMBER: _ClassVar[int]
    LATE_FIELD_NUMBER: _ClassVar[int]
    decision_id: bytes
    subject: bytes
    item_id: int
    position: int
    kind: ActionKind
    value: float
    liked: bool
    late: bool
    def __init__(self, decision_id: _Optional[bytes] = ..., subject: _Optional[bytes] = ..., item_id: _Optional[int] = ..., position: _Optional[int] = ..., kind: _Optional[_Union[ActionKind, str]] = ..., value: _Optional[float] = ..., liked: _Optional[bool] = ..., late: _Optional[bool] = ...) -> None: ...

class OrganicInteraction(_message.Message):
    __slots__ = ("subject", "item_id", "kind", "value", "liked")
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    LIKED_FIELD_NUMBER: _ClassVar[int]
    subject: bytes
    item_id: int
    kind: ActionKind
    value: float
    liked: bool
    def __init__(self, subject: _Optional[bytes] = ..., item_id: _Optional[int] = ..., kind: _Optional[_Union[ActionKind, str]] = ..., value: _Optional[float] = ..., liked: _Optional[bool] = ...) -> None: ...
