import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ReplicaState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REPLICA_STATE_UNSPECIFIED: _ClassVar[ReplicaState]
    REPLICA_STATE_LOADED: _ClassVar[ReplicaState]
    REPLICA_STATE_REJECTED: _ClassVar[ReplicaState]
    REPLICA_STATE_ALIVE: _ClassVar[ReplicaState]
    REPLICA_STATE_STOPPED: _ClassVar[ReplicaState]
REPLICA_STATE_UNSPECIFIED: ReplicaState
REPLICA_STATE_LOADED: ReplicaState
REPLICA_STATE_REJECTED: ReplicaState
REPLICA_STATE_ALIVE: ReplicaState
REPLICA_STATE_STOPPED: ReplicaState

class ClockSet(_message.Message):
    __slots__ = ("offset", "cause")
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    offset: _duration_pb2.Duration
    cause: str
    def __init__(self, offset: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., cause: _Optional[str] = ...) -> None: ...

class ReplicaReported(_message.Message):
    __slots__ = ("replica", "service", "kind", "artefact", "state", "reason", "reported_at_ms")
    REPLICA_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    ARTEFACT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REPORTED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    replica: str
    service: str
    kind: str
    artefact: str
    state: ReplicaState
    reason: str
    reported_at_ms: int
    def __init__(self, replica: _Optional[str] = ..., service: _Optional[str] = ..., kind: _Optional[str] = ..., artefact: _Optional[str] = ..., state: _Optional[_Union[ReplicaState, str]] = ..., reason: _Optional[str] = ..., reported_at_ms: _Optional[int] = ...) -> None: ...
