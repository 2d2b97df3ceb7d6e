import datetime

from loopwright.api.buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from loopwright.api.common.v1 import decision_pb2 as _decision_pb2
from loopwright.api.common.v1 import tensor_pb2 as _tensor_pb2
from loopwright.api.events.v1 import sealed_pb2 as _sealed_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DropReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DROP_REASON_UNSPECIFIED: _ClassVar[DropReason]
    DROP_REASON_CUT: _ClassVar[DropReason]
    DROP_REASON_SEEN: _ClassVar[DropReason]
    DROP_REASON_RECENT: _ClassVar[DropReason]
    DROP_REASON_BLOCKED: _ClassVar[DropReason]
    DROP_REASON_EXCLUDED: _ClassVar[DropReason]
    DROP_REASON_WITHDRAWN: _ClassVar[DropReason]
    DROP_REASON_OUT_OF_STOCK: _ClassVar[DropReason]
    DROP_REASON_UNSAFE: _ClassVar[DropReason]
    DROP_REASON_CREATOR_CAP: _ClassVar[DropReason]
    DROP_REASON_TOPIC_CAP: _ClassVar[DropReason]
    DROP_REASON_OUTRANKED: _ClassVar[DropReason]
    DROP_REASON_UNKNOWN_ITEM: _ClassVar[DropReason]

class MutationKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MUTATION_KIND_UNSPECIFIED: _ClassVar[MutationKind]
    MUTATION_KIND_CREATOR_CAP: _ClassVar[MutationKind]
    MUTATION_KIND_TOPIC_CAP: _ClassVar[MutationKind]
    MUTATION_KIND_DIVERSITY: _ClassVar[MutationKind]
    MUTATION_KIND_EXPLORE: _ClassVar[MutationKind]
    MUTATION_KIND_SLICE: _ClassVar[MutationKind]
    MUTATION_KIND_CAP_LIFTED: _ClassVar[MutationKind]
DROP_REASON_UNSPECIFIED: DropReason
DROP_REASON_CUT: DropReason
DROP_REASON_SEEN: DropReason
DROP_REASON_RECENT: DropReason
DROP_REASON_BLOCKED: DropReason
DROP_REASON_EXCLUDED: DropReason
DROP_REASON_WITHDRAWN: DropReason
DROP_REASON_OUT_OF_STOCK: DropReason
DROP_REASON_UNSAFE: DropReason
DROP_REASON_CREATOR_CAP: DropReason
DROP_REASON_TOPIC_CAP: DropReason
DROP_REASON_OUTRANKED: DropReason
DROP_REASON_UNKNOWN_ITEM: DropReason
MUTATION_KIND_UNSPECIFIED: MutationKind
MUTATION_KIND_CREATOR_CAP: MutationKind
MUTATION_KIND_TOPIC_CAP: MutationKind
MUTATION_KIND_DIVERSITY: MutationKind
MUTATION_KIND_EXPLORE: MutationKind
MUTATION_KIND_SLICE: MutationKind
MUTATION_KIND_CAP_LIFTED: MutationKind

class Mutation(_message.Message):
    __slots__ = ("kind", "item_id", "from_rank", "to_position")
    KIND_FIELD_NUMBER: _ClassVar[int]
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    FROM_RANK_FIELD_NUMBER: _ClassVar[int]
    TO_POSITION_FIELD_NUMBER: _ClassVar[int]
    kind: MutationKind
    item_id: int
    from_rank: int
    to_position: int
    def __init__(self, kind: _Optional[_Union[MutationKind, str]] = ..., item_id: _Optional[int] = ..., from_rank: _Optional[int] = ..., to_position: _Optional[int] = ...) -> None: ...

class RequestRecord(_message.Message):
    __slots__ = ("request_id", "subject", "session_id", "page_start", "k", "anchor_item_ids", "exclude_item_ids", "locale", "client_version", "purpose", "exploration", "request_hash", "sealed")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_START_FIELD_NUMBER: _ClassVar[int]
    K_FIELD_NUMBER: _ClassVar[int]
    ANCHOR_ITEM_IDS_FIELD_NUMBER: _ClassVar[int]
    EXCLUDE_ITEM_IDS_FIELD_NUMBER: _ClassVar[int]
    LOCALE_FIELD_NUMBER: _ClassVar[int]
    CLIENT_VERSION_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    EXPLORATION_FIELD_NUMBER: _ClassVar[int]
    REQUEST_HASH_FIELD_NUMBER: _ClassVar[int]
    SEALED_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    subject: bytes
    session_id: str
    page_start: int
    k: int
    anchor_item_ids: _containers.RepeatedScalarFieldContainer[int]
    exclude_item_ids: _containers.RepeatedScalarFieldContainer[int]
    locale: str
    client_version: str
    purpose: _decision_pb2.Purpose
    exploration: _decision_pb2.Exploration
    request_hash: bytes
    sealed: _sealed_pb2.Sealed
    def __init__(self, request_id: _Optional[str] = ..., subject: _Optional[bytes] = ..., session_id: _Optional[str] = ..., page_start: _Optional[int] = ..., k: _Optional[int] = ..., anchor_item_ids: _Optional[_Iterable[int]] = ..., exclude_item_ids: _Optional[_Iterable[int]] = ..., locale: _Optional[str] = ..., client_version: _Optional[str] = ..., purpose: _Optional[_Union[_decision_pb2.Purpose, str]] = ..., exploration: _Optional[_Union[_decision_pb2.Exploration, str]] = ..., request_hash: _Optional[bytes] = ..., sealed: _Optional[_Union[_sealed_pb2.Sealed, _Mapping]] = ...) -> None: ...

class SourceRecord(_message.Message):
    __slots__ = ("source", "count", "latency_us", "failed", "reason")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    LATENCY_US_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    source: _decision_pb2.CandidateSource
    count: int
    latency_us: int
    failed: bool
    reason: str
    def __init__(self, source: _Optional[_Union[_decision_pb2.CandidateSource, str]] = ..., count: _Optional[int] = ..., latency_us: _Optional[int] = ..., failed: _Optional[bool] = ..., reason: _Optional[str] = ...) -> None: ...

class StageTiming(_message.Message):
    __slots__ = ("stage", "latency_us")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    LATENCY_US_FIELD_NUMBER: _ClassVar[int]
    stage: _decision_pb2.Stage
    latency_us: int
    def __init__(self, stage: _Optional[_Union[_decision_pb2.Stage, str]] = ..., latency_us: _Optional[int] = ...) -> None: ...

class Propensity(_message.Message):
    __slots__ = ("rho", "n", "m", "s")
    RHO_FIELD_NUMBER: _ClassVar[int]
    N_FIELD_NUMBER: _ClassVar[int]
    M_FIELD_NUMBER: _ClassVar[int]
    S_FIELD_NUMBER: _ClassVar[int]
    rho: float
    n: int
    m: int
    s: int
    def __init__(self, rho: _Optional[float] = ..., n: _Optional[int] = ..., m: _Optional[int] = ..., s: _Optional[int] = ...) -> None: ...

class Candidates(_message.Message):
    __slots__ = ("item_ids", "fused_scores", "source_ranks", "source_scores", "signals", "item_columns", "group_ages_s", "group_mask", "pre_scores", "heads", "creator_ids", "first_tag_ids", "eligibility", "guards", "utility", "content", "drop_reasons")
    ITEM_IDS_FIELD_NUMBER: _ClassVar[int]
    FUSED_SCORES_FIELD_NUMBER: _ClassVar[int]
    SOURCE_RANKS_FIELD_NUMBER: _ClassVar[int]
    SOURCE_SCORES_FIELD_NUMBER: _ClassVar[int]
    SIGNALS_FIELD_NUMBER: _ClassVar[int]
    ITEM_COLUMNS_FIELD_NUMBER: _ClassVar[int]
    GROUP_AGES_S_FIELD_NUMBER: _ClassVar[int]
    GROUP_MASK_FIELD_NUMBER: _ClassVar[int]
    PRE_SCORES_FIELD_NUMBER: _ClassVar[int]
    HEADS_FIELD_NUMBER: _ClassVar[int]
    CREATOR_IDS_FIELD_NUMBER: _ClassVar[int]
    FIRST_TAG_IDS_FIELD_NUMBER: _ClassVar[int]
    ELIGIBILITY_FIELD_NUMBER: _ClassVar[int]
    GUARDS_FIELD_NUMBER: _ClassVar[int]
    UTILITY_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    DROP_REASONS_FIELD_NUMBER: _ClassVar[int]
    item_ids: _tensor_pb2.Tensor
    fused_scores: _tensor_pb2.Tensor
    source_ranks: _tensor_pb2.Tensor
    source_scores: _tensor_pb2.Tensor
    signals: _tensor_pb2.Tensor
    item_columns: _tensor_pb2.Tensor
    group_ages_s: _tensor_pb2.Tensor
    group_mask: _tensor_pb2.Tensor
    pre_scores: _tensor_pb2.Tensor
    heads: _tensor_pb2.Tensor
    creator_ids: _tensor_pb2.Tensor
    first_tag_ids: _tensor_pb2.Tensor
    eligibility: _tensor_pb2.Tensor
    guards: _tensor_pb2.Tensor
    utility: _tensor_pb2.Tensor
    content: _tensor_pb2.Tensor
    drop_reasons: _tensor_pb2.Tensor
    def __init__(self, item_ids: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., fused_scores: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., source_ranks: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., source_scores: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., signals: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., item_columns: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., group_ages_s: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., group_mask: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., pre_scores: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., heads: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., creator_ids: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., first_tag_ids: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., eligibility: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., guards: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., utility: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., content: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., drop_reasons: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ...) -> None: ...

class SlatePosition(_message.Message):
    __slots__ = ("item_id", "position", "pre_swap_rank", "p_shown", "p_position", "scheme", "propensity_error", "support")
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    PRE_SWAP_RANK_FIELD_NUMBER: _ClassVar[int]
    P_SHOWN_FIELD_NUMBER: _ClassVar[int]
    P_POSITION_FIELD_NUMBER: _ClassVar[int]
    SCHEME_FIELD_NUMBER: _ClassVar[int]
    PROPENSITY_ERROR_FIELD_NUMBER: _ClassVar[int]
    SUPPORT_FIELD_NUMBER: _ClassVar[int]
    item_id: int
    position: int
    pre_swap_rank: int
    p_shown: float
    p_position: float
    scheme: _decision_pb2.Scheme
    propensity_error: float
    support: bool
    def __init__(self, item_id: _Optional[int] = ..., position: _Optional[int] = ..., pre_swap_rank: _Optional[int] = ..., p_shown: _Optional[float] = ..., p_position: _Optional[float] = ..., scheme: _Optional[_Union[_decision_pb2.Scheme, str]] = ..., propensity_error: _Optional[float] = ..., support: _Optional[bool] = ...) -> None: ...

class SlateDecided(_message.Message):
    __slots__ = ("decision_id", "request", "seed", "arm", "sources", "signal_names", "head_names", "user_groups", "item_groups", "user_columns", "user_group_ages_s", "user_group_mask", "scored_position", "best_n", "slate", "slate_candidates", "mutations", "propensity", "degradations", "timings", "funnel_chunks", "wall_time", "input_digests")
    class InputDigestsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: bytes
        def __init__(self, key: _Optional[str] = ..., value: _Optional[bytes] = ...) -> None: ...
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    ARM_FIELD_NUMBER: _ClassVar[int]
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    SIGNAL_NAMES_FIELD_NUMBER: _ClassVar[int]
    HEAD_NAMES_FIELD_NUMBER: _ClassVar[int]
    USER_GROUPS_FIELD_NUMBER: _ClassVar[int]
    ITEM_GROUPS_FIELD_NUMBER: _ClassVar[int]
    USER_COLUMNS_FIELD_NUMBER: _ClassVar[int]
    USER_GROUP_AGES_S_FIELD_NUMBER: _ClassVar[int]
    USER_GROUP_MASK_FIELD_NUMBER: _ClassVar[int]
    SCORED_POSITION_FIELD_NUMBER: _ClassVar[int]
    BEST_N_FIELD_NUMBER: _ClassVar[int]
    SLATE_FIELD_NUMBER: _ClassVar[int]
    SLATE_CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    MUTATIONS_FIELD_NUMBER: _ClassVar[int]
    PROPENSITY_FIELD_NUMBER: _ClassVar[int]
    DEGRADATIONS_FIELD_NUMBER: _ClassVar[int]
    TIMINGS_FIELD_NUMBER: _ClassVar[int]
    FUNNEL_CHUNKS_FIELD_NUMBER: _ClassVar[int]
    WALL_TIME_FIELD_NUMBER: _ClassVar[int]
    INPUT_DIGESTS_FIELD_NUMBER: _ClassVar[int]
    decision_id: bytes
    request: RequestRecord
    seed: int
    arm: str
    sources: _containers.RepeatedCompositeFieldContainer[SourceRecord]
    signal_names: _containers.RepeatedScalarFieldContainer[str]
    head_names: _containers.RepeatedScalarFieldContainer[str]
    user_groups: _containers.RepeatedScalarFieldContainer[str]
    item_groups: _containers.RepeatedScalarFieldContainer[str]
    user_columns: _tensor_pb2.Tensor
    user_group_ages_s: _tensor_pb2.Tensor
    user_group_mask: _tensor_pb2.Tensor
    scored_position: int
    best_n: int
    slate: _containers.RepeatedCompositeFieldContainer[SlatePosition]
    slate_candidates: Candidates
    mutations: _containers.RepeatedCompositeFieldContainer[Mutation]
    propensity: Propensity
    degradations: _containers.RepeatedCompositeFieldContainer[_decision_pb2.Degradation]
    timings: _containers.RepeatedCompositeFieldContainer[StageTiming]
    funnel_chunks: int
    wall_time: _timestamp_pb2.Timestamp
    input_digests: _containers.ScalarMap[str, bytes]
    def __init__(self, decision_id: _Optional[bytes] = ..., request: _Optional[_Union[RequestRecord, _Mapping]] = ..., seed: _Optional[int] = ..., arm: _Optional[str] = ..., sources: _Optional[_Iterable[_Union[SourceRecord, _Mapping]]] = ..., signal_names: _Optional[_Iterable[str]] = ..., head_names: _Optional[_Iterable[str]] = ..., user_groups: _Optional[_Iterable[str]] = ..., item_groups: _Optional[_Iterable[str]] = ..., user_columns: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., user_group_ages_s: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., user_group_mask: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., scored_position: _Optional[int] = ..., best_n: _Optional[int] = ..., slate: _Optional[_Iterable[_Union[SlatePosition, _Mapping]]] = ..., slate_candidates: _Optional[_Union[Candidates, _Mapping]] = ..., mutations: _Optional[_Iterable[_Union[Mutation, _Mapping]]] = ..., propensity: _Optional[_Union[Propensity, _Mapping]] = ..., degradations: _Optional[_Iterable[_Union[_decision_pb2.Degradation, _Mapping]]] = ..., timings: _Optional[_Iterable[_Union[StageTiming, _Mapping]]] = ..., funnel_chunks: _Optional[int] = ..., wall_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., input_digests: _Optional[_Mapping[str, bytes]] = ...) -> None: ...

class Funnel(_message.Message):
    __slots__ = ("candidates",)
    CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    candidates: Candidates
    def __init__(self, candidates: _Optional[_Union[Candidates, _Mapping]] = ...) -> None: ...

class FunnelChunk(_message.Message):
    __slots__ = ("decision_id", "subject", "index", "count", "data")
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    decision_id: bytes
    subject: bytes
    index: int
    count: int
    data: bytes
    def __init__(self, decision_id: _Optional[bytes] = ..., subject: _Optional[bytes] = ..., index: _Optional[int] = ..., count: _Optional[int] = ..., data: _Optional[bytes] = ...) -> None: ...
