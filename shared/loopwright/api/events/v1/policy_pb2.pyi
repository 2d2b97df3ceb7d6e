from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class PolicyPublished(_message.Message):
    __slots__ = ("policy_version", "surface", "canonical", "actor", "reason")
    POLICY_VERSION_FIELD_NUMBER: _ClassVar[int]
    SURFACE_FIELD_NUMBER: _ClassVar[int]
    CANONICAL_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    policy_version: str
    surface: str
    canonical: bytes
    actor: str
    reason: str
    def __init__(self, policy_version: _Optional[str] = ..., surface: _Optional[str] = ..., canonical: _Optional[bytes] = ..., actor: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class PolicyActivated(_message.Message):
    __slots__ = ("policy_version", "surface", "expected_previous", "actor", "reason")
    POLICY_VERSION_FIELD_NUMBER: _ClassVar[int]
    SURFACE_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_PREVIOUS_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    policy_version: str
    surface: str
    expected_previous: str
    actor: str
    reason: str
    def __init__(self, policy_version: _Optional[str] = ..., surface: _Optional[str] = ..., expected_previous: _Optional[str] = ..., actor: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class PolicyRolledBack(_message.Message):
    __slots__ = ("policy_version", "surface", "from_version", "actor", "reason")
    POLICY_VERSION_FIELD_NUMBER: _ClassVar[int]
    SURFACE_FIELD_NUMBER: _ClassVar[int]
    FROM_VERSION_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    policy_version: str
    surface: str
    from_version: str
    actor: str
    reason: str
    def __init__(self, policy_version: _Optional[str] = ..., surface: _Optional[str] = ..., from_version: _Optional[str] = ..., actor: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class FallbackPrepared(_message.Message):
    __slots__ = ("surface", "policy_version", "order_id", "item_ids", "creator_ids", "first_tag_ids", "external_ids")
    SURFACE_FIELD_NUMBER: _ClassVar[int]
    POLICY_VERSION_FIELD_NUMBER: _ClassVar[int]
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    ITEM_IDS_FIELD_NUMBER: _ClassVar[int]
    CREATOR_IDS_FIELD_NUMBER: _ClassVar[int]
    FIRST_TAG_IDS_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_IDS_FIELD_NUMBER: _ClassVar[int]
    surface: str
    policy_version: str
    order_id: bytes
    item_ids: _containers.RepeatedScalarFieldContainer[int]
    creator_ids: _containers.RepeatedScalarFieldContainer[int]
    first_tag_ids: _containers.RepeatedScalarFieldContainer[int]
    external_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, surface: _Optional[str] = ..., policy_version: _Optional[str] = ..., order_id: _Optional[bytes] = ..., item_ids: _Optional[_Iterable[int]] = ..., creator_ids: _Optional[_Iterable[int]] = ..., first_tag_ids: _Optional[_Iterable[int]] = ..., external_ids: _Optional[_Iterable[str]] = ...) -> None: ...
