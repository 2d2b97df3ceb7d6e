import datetime

from loopwright.api.buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from loopwright.api.events.v1 import feedback_pb2 as _feedback_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CreatorRelation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CREATOR_RELATION_UNSPECIFIED: _ClassVar[CreatorRelation]
    CREATOR_RELATION_FOLLOW: _ClassVar[CreatorRelation]
    CREATOR_RELATION_UNFOLLOW: _ClassVar[CreatorRelation]
    CREATOR_RELATION_BLOCK: _ClassVar[CreatorRelation]
CREATOR_RELATION_UNSPECIFIED: CreatorRelation
CREATOR_RELATION_FOLLOW: CreatorRelation
CREATOR_RELATION_UNFOLLOW: CreatorRelation
CREATOR_RELATION_BLOCK: CreatorRelation

class Item(_message.Message):
    __slots__ = ("item_id", "title", "tags", "creator", "published_at", "locale", "text", "occurred_at")
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    CREATOR_FIELD_NUMBER: _ClassVar[int]
    PUBLISHED_AT_FIELD_NUMBER: _ClassVar[int]
    LOCALE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_FIELD_NUMBER: _ClassVar[int]
    item_id: str
    title: str
    tags: _containers.RepeatedScalarFieldContainer[str]
    creator: str
    published_at: _timestamp_pb2.Timestamp
    locale: str
    text: str
    occurred_at: _timestamp_pb2.Timestamp
    def __init__(self, item_id: _Optional[str] = ..., title: _Optional[str] = ..., tags: _Optional[_Iterable[str]] = ..., creator: _Optional[str] = ..., published_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., locale: _Optional[str] = ..., text: _Optional[str] = ..., occurred_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Rejection(_message.Message):
    __slots__ = ("index", "field", "reason", "description")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    index: int
    field: str
    reason: str
    description: str
    def __init__(self, index: _Optional[int] = ..., field: _Optional[str] = ..., reason: _Optional[str] = ..., description: _Optional[str] = ...) -> None: ...

class IngestItemsRequest(_message.Message):
    __slots__ = ("batch", "items")
    BATCH_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    batch: int
    items: _containers.RepeatedCompositeFieldContainer[Item]
    def __init__(self, batch: _Optional[int] = ..., items: _Optional[_Iterable[_Union[Item, _Mapping]]] = ...) -> None: ...

class IngestItemsResponse(_message.Message):
    __slots__ = ("batch", "accepted", "rejections")
    BATCH_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    REJECTIONS_FIELD_NUMBER: _ClassVar[int]
    batch: int
    accepted: int
    rejections: _containers.RepeatedCompositeFieldContainer[Rejection]
    def __init__(self, batch: _Optional[int] = ..., accepted: _Optional[int] = ..., rejections: _Optional[_Iterable[_Union[Rejection, _Mapping]]] = ...) -> None: ...

class Profile(_message.Message):
    __slots__ = ("user_id", "locale", "traits", "occurred_at")
    class TraitsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    LOCALE_FIELD_NUMBER: _ClassVar[int]
    TRAITS_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    locale: str
    traits: _containers.ScalarMap[str, str]
    occurred_at: _timestamp_pb2.Timestamp
    def __init__(self, user_id: _Optional[str] = ..., locale: _Optional[str] = ..., traits: _Optional[_Mapping[str, str]] = ..., occurred_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class IngestProfilesRequest(_message.Message):
    __slots__ = ("batch", "profiles")
    BATCH_FIELD_NUMBER: _ClassVar[int]
    PROFILES_FIELD_NUMBER: _ClassVar[int]
    batch: int
    profiles: _containers.RepeatedCompositeFieldContainer[Profile]
    def __init__(self, batch: _Optional[int] = ..., profiles: _Optional[_Iterable[_Union[Profile, _Mapping]]] = ...) -> None: ...

class IngestProfilesResponse(_message.Message):
    __slots__ = ("batch", "accepted", "rejections")
    BATCH_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    REJECTIONS_FIELD_NUMBER: _ClassVar[int]
    batch: int
    accepted: int
    rejections: _containers.RepeatedCompositeFieldContainer[Rejection]
    def __init__(self, batch: _Optional[int] = ..., accepted: _Optional[int] = ..., rejections: _Optional[_Iterable[_Union[Rejection, _Mapping]]] = ...) -> None: ...

class Interaction(_message.Message):
    __slots__ = ("user_id", "item_id", "kind", "value", "liked", "client_event_id", "occurred_at")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    LIKED_FIELD_NUMBER: _ClassVar[int]
    CLIENT_EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    item_id: str
    kind: _feedback_pb2.ActionKind
    value: float
    liked: bool
    client_event_id: str
    occurred_at: _timestamp_pb2.Timestamp
    def __init__(self, user_id: _Optional[str] = ..., item_id: _Optional[str] = ..., kind: _Optional[_Union[_feedback_pb2.ActionKind, str]] = ..., value: _Optional[float] = ..., liked: _Optional[bool] = ..., client_event_id: _Optional[str] = ..., occurred_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class IngestInteractionsRequest(_message.Message):
    __slots__ = ("batch", "interactions", "surface")
    BATCH_FIELD_NUMBER: _ClassVar[int]
    INTERACTIONS_FIELD_NUMBER: _ClassVar[int]
    SURFACE_FIELD_NUMBER: _ClassVar[int]
    batch: int
    interactions: _containers.RepeatedCompositeFieldContainer[Interaction]
    surface: str
    def __init__(self, batch: _Optional[int] = ..., interactions: _Optional[_Iterable[_Union[Interaction, _Mapping]]] = ..., surface: _Optional[str] = ...) -> None: ...

class IngestInteractionsResponse(_message.Message):
    __slots__ = ("batch", "accepted", "rejections")
    BATCH_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    REJECTIONS_FIELD_NUMBER: _ClassVar[int]
    batch: int
    accepted: int
    rejections: _containers.RepeatedCompositeFieldContainer[Rejection]
    def __init__(self, batch: _Optional[int] = ..., accepted: _Optional[int] = ..., rejections: _Optional[_Iterable[_Union[Rejection, _Mapping]]] = ...) -> None: ...

class WithdrawItemRequest(_message.Message):
    __slots__ = ("item_id", "reason")
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    item_id: str
    reason: str
    def __init__(self, item_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class WithdrawItemResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ChangeInventoryRequest(_message.Message):
    __slots__ = ("item_id", "available")
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_FIELD_NUMBER: _ClassVar[int]
    item_id: str
    available: int
    def __init__(self, item_id: _Optional[str] = ..., available: _Optional[int] = ...) -> None: ...

class ChangeInventoryResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class LabelSafetyRequest(_message.Message):
    __slots__ = ("item_id", "safe", "reason")
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    SAFE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    item_id: str
    safe: bool
    reason: str
    def __init__(self, item_id: _Optional[str] = ..., safe: _Optional[bool] = ..., reason: _Optional[str] = ...) -> None: ...

class LabelSafetyResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class UpdateCreatorRelationRequest(_message.Message):
    __slots__ = ("user_id", "creator", "relation", "client_event_id")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    CREATOR_FIELD_NUMBER: _ClassVar[int]
    RELATION_FIELD_NUMBER: _ClassVar[int]
    CLIENT_EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    creator: str
    relation: CreatorRelation
    client_event_id: str
    def __init__(self, user_id: _Optional[str] = ..., creator: _Optional[str] = ..., relation: _Optional[_Union[CreatorRelation, str]] = ..., client_event_id: _Optional[str] = ...) -> None: ...

class UpdateCreatorRelationResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class EraseSubjectRequest(_message.Message):
    __slots__ = ("user_id",)
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    def __init__(self, user_id: _Optional[str] = ...) -> None: ...

class EraseSubjectResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class SetClockRequest(_message.Message):
    __slots__ = ("mesh_time", "cause")
    MESH_TIME_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    mesh_time: _timestamp_pb2.Timestamp
    cause: str
    def __init__(self, mesh_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., cause: _Optional[str] = ...) -> None: ...

class SetClockResponse(_message.Message):
    __slots__ = ("mesh_time",)
    MESH_TIME_FIELD_NUMBER: _ClassVar[int]
    mesh_time: _timestamp_pb2.Timestamp
    def __init__(self, mesh_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetWatermarksRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetWatermarksResponse(_message.Message):
    __slots__ = ("mesh_time", "newest_occurred_at", "dedup_window_s", "clock_fixed", "newest_organic_at")
    MESH_TIME_FIELD_NUMBER: _ClassVar[int]
    NEWEST_OCCURRED_AT_FIELD_NUMBER: _ClassVar[int]
    DEDUP_WINDOW_S_FIELD_NUMBER: _ClassVar[int]
    CLOCK_FIXED_FIELD_NUMBER: _ClassVar[int]
    NEWEST_ORGANIC_AT_FIELD_NUMBER: _ClassVar[int]
    mesh_time: _timestamp_pb2.Timestamp
    newest_occurred_at: _timestamp_pb2.Timestamp
    dedup_window_s: int
    clock_fixed: bool
    newest_organic_at: _timestamp_pb2.Timestamp
    def __init__(self, mesh_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., newest_occurred_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., dedup_window_s: _Optional[int] = ..., clock_fixed: _Optional[bool] = ..., newest_organic_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
