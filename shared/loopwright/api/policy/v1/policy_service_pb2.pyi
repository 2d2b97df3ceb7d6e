import datetime

from loopwright.api.buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class BundleViolation(_message.Message):
    __slots__ = ("field", "description")
    FIELD_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    field: str
    description: str
    def __init__(self, field: _Optional[str] = ..., description: _Optional[str] = ...) -> None: ...

class ValidateBundleRequest(_message.Message):
    __slots__ = ("document",)
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    document: str
    def __init__(self, document: _Optional[str] = ...) -> None: ...

class ValidateBundleResponse(_message.Message):
    __slots__ = ("policy_version", "violations")
    POLICY_VERSION_FIELD_NUMBER: _ClassVar[int]
    VIOLATIONS_FIELD_NUMBER: _ClassVar[int]
    policy_version: str
    violations: _containers.RepeatedCompositeFieldContainer[BundleViolation]
    def __init__(self, policy_version: _Optional[str] = ..., violations: _Optional[_Iterable[_Union[BundleViolation, _Mapping]]] = ...) -> None: ...

class PublishBundleRequest(_message.Message):
    __slots__ = ("document", "actor", "reason")
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    document: str
    actor: str
    reason: str
    def __init__(self, document: _Optional[str] = ..., actor: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class PublishBundleResponse(_message.Message):
    __slots__ = ("policy_version", "already_published")
    POLICY_VERSION_FIELD_NUMBER: _ClassVar[int]
    ALREADY_PUBLISHED_FIELD_NUMBER: _ClassVar[int]
    policy_version: str
    already_published: bool
    def __init__(self, policy_version: _Optional[str] = ..., already_published: _Optional[bool] = ...) -> None: ...

class ActivateBundleRequest(_message.Message):
    __slots__ = ("surface", "policy_version", "expected_previous", "actor", "reason")
    SURFACE_FIELD_NUMBER: _ClassVar[int]
    POLICY_VERSION_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_PREVIOUS_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    surface: str
    policy_version: str
    expected_previous: str
    actor: str
    reason: str
    def __init__(self, surface: _Optional[str] = ..., policy_version: _Optional[str] = ..., expected_previous: _Optional[str] = ..., actor: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class ActivateBundleResponse(_message.Message):
    __slots__ = ("policy_version", "ready_replicas")
    POLICY_VERSION_FIELD_NUMBER: _ClassVar[int]
    READY_REPLICAS_FIELD_NUMBER: _ClassVar[int]
    policy_version: str
    ready_replicas: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, policy_version: _Optional[str] = ..., ready_replicas: _Optional[_Iterable[str]] = ...) -> None: ...

class RollbackBundleRequest(_message.Message):
    __slots__ = ("surface", "actor", "reason")
    SURFACE_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    surface: str
    actor: str
    reason: str
    def __init__(self, surface: _Optional[str] = ..., actor: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class RollbackBundleResponse(_message.Message):
    __slots__ = ("policy_version",)
    POLICY_VERSION_FIELD_NUMBER: _ClassVar[int]
    policy_version: str
    def __init__(self, policy_version: _Optional[str] = ...) -> None: ...

class ListBundlesRequest(_message.Message):
    __slots__ = ("surface", "limit")
    SURFACE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    surface: str
    limit: int
    def __init__(self, surface: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class ReplicaReadiness(_message.Message):
    __slots__ = ("replica", "ready", "reason")
    REPLICA_FIELD_NUMBER: _ClassVar[int]
    READY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    replica: str
    ready: bool
    reason: str
    def __init__(self, replica: _Optional[str] = ..., ready: _Optional[bool] = ..., reason: _Optional[str] = ...) -> None: ...

class BundleSummary(_message.Message):
    __slots__ = ("policy_version", "surface", "active", "published_at", "canonical_json", "replicas")
    POLICY_VERSION_FIELD_NUMBER: _ClassVar[int]
    SURFACE_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_FIELD_NUMBER: _ClassVar[int]
    PUBLISHED_AT_FIELD_NUMBER: _ClassVar[int]
    CANONICAL_JSON_FIELD_NUMBER: _ClassVar[int]
    REPLICAS_FIELD_NUMBER: _ClassVar[int]
    policy_version: str
    surface: str
    active: bool
    published_at: _timestamp_pb2.Timestamp
    canonical_json: str
    replicas: _containers.RepeatedCompositeFieldContainer[ReplicaReadiness]
    def __init__(self, policy_version: _Optional[str] = ..., surface: _Optional[str] = ..., active: _Optional[bool] = ..., published_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., canonical_json: _Optional[str] = ..., replicas: _Optional[_Iterable[_Union[ReplicaReadiness, _Mapping]]] = ...) -> None: ...

class ListBundlesResponse(_message.Message):
    __slots__ = ("bundles",)
    BUNDLES_FIELD_NUMBER: _ClassVar[int]
    bundles: _containers.RepeatedCompositeFieldContainer[BundleSummary]
    def __init__(self, bundles: _Optional[_Iterable[_Union[BundleSummary, _Mapping]]] = ...) -> None: ...
