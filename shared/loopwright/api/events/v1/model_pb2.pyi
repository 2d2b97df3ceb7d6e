from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ModelFile(_message.Message):
    __slots__ = ("name", "sha256", "size_bytes")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    name: str
    sha256: str
    size_bytes: int
    def __init__(self, name: _Optional[str] = ..., sha256: _Optional[str] = ..., size_bytes: _Optional[int] = ...) -> None: ...

class OffsetRange(_message.Message):
    __slots__ = ("topic", "partition", "start", "end")
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    topic: str
    partition: int
    start: int
    end: int
    def __init__(self, topic: _Optional[str] = ..., partition: _Optional[int] = ..., start: _Optional[int] = ..., end: _Optional[int] = ...) -> None: ...

class ModelManifest(_message.Message):
    __slots__ = ("model_version", "kind", "files", "feature_groups", "signals", "heads", "windows", "metrics", "seed", "settings_json")
    class MetricsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    FEATURE_GROUPS_FIELD_NUMBER: _ClassVar[int]
    SIGNALS_FIELD_NUMBER: _ClassVar[int]
    HEADS_FIELD_NUMBER: _ClassVar[int]
    WINDOWS_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_JSON_FIELD_NUMBER: _ClassVar[int]
    model_version: str
    kind: str
    files: _containers.RepeatedCompositeFieldContainer[ModelFile]
    feature_groups: _containers.RepeatedScalarFieldContainer[str]
    signals: _containers.RepeatedScalarFieldContainer[str]
    heads: _containers.RepeatedScalarFieldContainer[str]
    windows: _containers.RepeatedCompositeFieldContainer[OffsetRange]
    metrics: _containers.ScalarMap[str, float]
    seed: int
    settings_json: str
    def __init__(self, model_version: _Optional[str] = ..., kind: _Optional[str] = ..., files: _Optional[_Iterable[_Union[ModelFile, _Mapping]]] = ..., feature_groups: _Optional[_Iterable[str]] = ..., signals: _Optional[_Iterable[str]] = ..., heads: _Optional[_Iterable[str]] = ..., windows: _Optional[_Iterable[_Union[OffsetRange, _Mapping]]] = ..., metrics: _Optional[_Mapping[str, float]] = ..., seed: _Optional[int] = ..., settings_json: _Optional[str] = ...) -> None: ...

class ModelTrained(_message.Message):
    __slots__ = ("manifest",)
    MANIFEST_FIELD_NUMBER: _ClassVar[int]
    manifest: ModelManifest
    def __init__(self, manifest: _Optional[_Union[ModelManifest, _Mapping]] = ...) -> None: ...

class ModelEvaluated(_message.Message):
    __slots__ = ("model_versions", "incumbent_policy_version", "verdict", "reason", "figures")
    class FiguresEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    MODEL_VERSIONS_FIELD_NUMBER: _ClassVar[int]
    INCUMBENT_POLICY_VERSION_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    FIGURES_FIELD_NUMBER: _ClassVar[int]
    model_versions: _containers.RepeatedScalarFieldContainer[str]
    incumbent_policy_version: str
    verdict: str
    reason: str
    figures: _containers.ScalarMap[str, float]
    def __init__(self, model_versions: _Optional[_Iterable[str]] = ..., incumbent_policy_version: _Optional[str] = ..., verdict: _Optional[str] = ..., reason: _Optional[str] = ..., figures: _Optional[_Mapping[str, float]] = ...) -> None: ...
