from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
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
