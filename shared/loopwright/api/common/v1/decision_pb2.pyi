from loopwright.api.buf.validate import validate_pb2 as _validate_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Purpose(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PURPOSE_UNSPECIFIED: _ClassVar[Purpose]
    PURPOSE_SERVE: _ClassVar[Purpose]
    PURPOSE_EVALUATE: _ClassVar[Purpose]
    PURPOSE_SHADOW: _ClassVar[Purpose]
    PURPOSE_SIMULATE: _ClassVar[Purpose]

class Exploration(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EXPLORATION_UNSPECIFIED: _ClassVar[Exploration]
    EXPLORATION_BUNDLE: _ClassVar[Exploration]
    EXPLORATION_OFF: _ClassVar[Exploration]

class CandidateSource(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CANDIDATE_SOURCE_UNSPECIFIED: _ClassVar[CandidateSource]
    CANDIDATE_SOURCE_TWO_TOWER: _ClassVar[CandidateSource]
    CANDIDATE_SOURCE_CO_VISITATION: _ClassVar[CandidateSource]
    CANDIDATE_SOURCE_TRENDING: _ClassVar[CandidateSource]
    CANDIDATE_SOURCE_FRESH: _ClassVar[CandidateSource]
    CANDIDATE_SOURCE_POPULARITY: _ClassVar[CandidateSource]
    CANDIDATE_SOURCE_FALLBACK: _ClassVar[CandidateSource]

class Scheme(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SCHEME_UNSPECIFIED: _ClassVar[Scheme]
    SCHEME_NONE: _ClassVar[Scheme]
    SCHEME_RANKED: _ClassVar[Scheme]
    SCHEME_EXPLORE: _ClassVar[Scheme]
    SCHEME_SLICE: _ClassVar[Scheme]

class Stage(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STAGE_UNSPECIFIED: _ClassVar[Stage]
    STAGE_HYDRATE_USER: _ClassVar[Stage]
    STAGE_RETRIEVE: _ClassVar[Stage]
    STAGE_HYDRATE_ITEMS: _ClassVar[Stage]
    STAGE_RANK: _ClassVar[Stage]
    STAGE_DECIDE: _ClassVar[Stage]
    STAGE_RECORD: _ClassVar[Stage]
    STAGE_RECOMMEND: _ClassVar[Stage]

class DegradationReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DEGRADATION_REASON_UNSPECIFIED: _ClassVar[DegradationReason]
    DEGRADATION_REASON_TIMEOUT: _ClassVar[DegradationReason]
    DEGRADATION_REASON_UNAVAILABLE: _ClassVar[DegradationReason]
    DEGRADATION_REASON_SOURCE_FAILED: _ClassVar[DegradationReason]
    DEGRADATION_REASON_STALE_FEATURES: _ClassVar[DegradationReason]
    DEGRADATION_REASON_NOT_ANSWERED: _ClassVar[DegradationReason]
    DEGRADATION_REASON_IDEMPOTENCY_UNCHECKED: _ClassVar[DegradationReason]
    DEGRADATION_REASON_PREVIOUS_POLICY: _ClassVar[DegradationReason]
    DEGRADATION_REASON_FALLBACK: _ClassVar[DegradationReason]
    DEGRADATION_REASON_SHORT_SLATE: _ClassVar[DegradationReason]
    DEGRADATION_REASON_STALE_POLICY_FEED: _ClassVar[DegradationReason]
PURPOSE_UNSPECIFIED: Purpose
PURPOSE_SERVE: Purpose
PURPOSE_EVALUATE: Purpose
PURPOSE_SHADOW: Purpose
PURPOSE_SIMULATE: Purpose
EXPLORATION_UNSPECIFIED: Exploration
EXPLORATION_BUNDLE: Exploration
EXPLORATION_OFF: Exploration
CANDIDATE_SOURCE_UNSPECIFIED: CandidateSource
CANDIDATE_SOURCE_TWO_TOWER: CandidateSource
CANDIDATE_SOURCE_CO_VISITATION: CandidateSource
CANDIDATE_SOURCE_TRENDING: CandidateSource
CANDIDATE_SOURCE_FRESH: CandidateSource
CANDIDATE_SOURCE_POPULARITY: CandidateSource
CANDIDATE_SOURCE_FALLBACK: CandidateSource
SCHEME_UNSPECIFIED: Scheme
SCHEME_NONE: Scheme
SCHEME_RANKED: Scheme
SCHEME_EXPLORE: Scheme
SCHEME_SLICE: Scheme
STAGE_UNSPECIFIED: Stage
STAGE_HYDRATE_USER: Stage
STAGE_RETRIEVE: Stage
STAGE_HYDRATE_ITEMS: Stage
STAGE_RANK: Stage
STAGE_DECIDE: Stage
STAGE_RECORD: Stage
STAGE_RECOMMEND: Stage
DEGRADATION_REASON_UNSPECIFIED: DegradationReason
DEGRADATION_REASON_TIMEOUT: DegradationReason
DEGRADATION_REASON_UNAVAILABLE: DegradationReason
DEGRADATION_REASON_SOURCE_FAILED: DegradationReason
DEGRADATION_REASON_STALE_FEATURES: DegradationReason
DEGRADATION_REASON_NOT_ANSWERED: DegradationReason
DEGRADATION_REASON_IDEMPOTENCY_UNCHECKED: DegradationReason
DEGRADATION_REASON_PREVIOUS_POLICY: DegradationReason
DEGRADATION_REASON_FALLBACK: DegradationReason
DEGRADATION_REASON_SHORT_SLATE: DegradationReason
DEGRADATION_REASON_STALE_POLICY_FEED: DegradationReason

class Degradation(_message.Message):
    __slots__ = ("stage", "reason", "subject")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    stage: Stage
    reason: DegradationReason
    subject: str
    def __init__(self, stage: _Optional[_Union[Stage, str]] = ..., reason: _Optional[_Union[DegradationReason, str]] = ..., subject: _Optional[str] = ...) -> None: ...

class Versions(_message.Message):
    __slots__ = ("policy_version", "two_tower_version", "pre_ranker_version", "ranker_version", "index_epoch", "feature_groups")
    POLICY_VERSION_FIELD_NUMBER: _ClassVar[int]
    TWO_TOWER_VERSION_FIELD_NUMBER: _ClassVar[int]
    PRE_RANKER_VERSION_FIELD_NUMBER: _ClassVar[int]
    RANKER_VERSION_FIELD_NUMBER: _ClassVar[int]
    INDEX_EPOCH_FIELD_NUMBER: _ClassVar[int]
    FEATURE_GROUPS_FIELD_NUMBER: _ClassVar[int]
    policy_version: str
    two_tower_version: str
    pre_ranker_version: str
    ranker_version: str
    index_epoch: str
    feature_groups: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, policy_version: _Optional[str] = ..., two_tower_version: _Optional[str] = ..., pre_ranker_version: _Optional[str] = ..., ranker_version: _Optional[str] = ..., index_epoch: _Optional[str] = ..., feature_groups: _Optional[_Iterable[str]] = ...) -> None: ...
