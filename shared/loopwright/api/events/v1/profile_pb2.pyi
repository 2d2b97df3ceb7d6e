from loopwright.api.events.v1 import sealed_pb2 as _sealed_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ProfileUpdated(_message.Message):
    __slots__ = ("subject", "locale", "traits", "sealed")
    class TraitsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    LOCALE_FIELD_NUMBER: _ClassVar[int]
    TRAITS_FIELD_NUMBER: _ClassVar[int]
    SEALED_FIELD_NUMBER: _ClassVar[int]
    subject: bytes
    locale: str
    traits: _containers.ScalarMap[str, str]
    sealed: _sealed_pb2.Sealed
    def __init__(self, subject: _Optional[bytes] = ..., locale: _Optional[str] = ..., traits: _Optional[_Mapping[str, str]] = ..., sealed: _Optional[_Union[_sealed_pb2.Sealed, _Mapping]] = ...) -> None: ...

class CreatorFollowed(_message.Message):
    __slots__ = ("subject", "creator_id")
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    CREATOR_ID_FIELD_NUMBER: _ClassVar[int]
    subject: bytes
    creator_id: int
    def __init__(self, subject: _Optional[bytes] = ..., creator_id: _Optional[int] = ...) -> None: ...

class CreatorUnfollowed(_message.Message):
    __slots__ = ("subject", "creator_id")
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    CREATOR_ID_FIELD_NUMBER: _ClassVar[int]
    subject: bytes
    creator_id: int
    def __init__(self, subject: _Optional[bytes] = ..., creator_id: _Optional[int] = ...) -> None: ...

class CreatorBlocked(_message.Message):
    __slots__ = ("subject", "creator_id")
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    CREATOR_ID_FIELD_NUMBER: _ClassVar[int]
    subject: bytes
    creator_id: int
    def __init__(self, subject: _Optional[bytes] = ..., creator_id: _Optional[int] = ...) -> None: ...

class SubjectErased(_message.Message):
    __slots__ = ("subject",)
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    subject: bytes
    def __init__(self, subject: _Optional[bytes] = ...) -> None: ...
