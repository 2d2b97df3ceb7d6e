import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ItemUpserted(_message.Message):
    __slots__ = ("item_id", "external_id", "title", "tags", "creator", "published_at", "locale", "text")
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    CREATOR_FIELD_NUMBER: _ClassVar[int]
    PUBLISHED_AT_FIELD_NUMBER: _ClassVar[int]
    LOCALE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    item_id: int
    external_id: str
    title: str
    tags: _containers.RepeatedScalarFieldContainer[str]
    creator: str
    published_at: _timestamp_pb2.Timestamp
    locale: str
    text: str
    def __init__(self, item_id: _Optional[int] = ..., external_id: _Optional[str] = ..., title: _Optional[str] = ..., tags: _Optional[_Iterable[str]] = ..., creator: _Optional[str] = ..., published_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., locale: _Optional[str] = ..., text: _Optional[str] = ...) -> None: ...

class ItemWithdrawn(_message.Message):
    __slots__ = ("item_id", "reason")
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    item_id: int
    reason: str
    def __init__(self, item_id: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class InventoryChanged(_message.Message):
    __slots__ = ("item_id", "available")
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_FIELD_NUMBER: _ClassVar[int]
    item_id: int
    available: int
    def __init__(self, item_id: _Optional[int] = ..., available: _Optional[int] = ...) -> None: ...

class SafetyLabelled(_message.Message):
    __slots__ = ("item_id", "safe", "reason")
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    SAFE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    item_id: int
    safe: bool
    reason: str
    def __init__(self, item_id: _Optional[int] = ..., safe: _Optional[bool] = ..., reason: _Optional[str] = ...) -> None: ...
