import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from loopwright.api.common.v1 import decision_pb2 as _decision_pb2
from loopwright.api.events.v1 import catalog_pb2 as _catalog_pb2
from loopwright.api.events.v1 import control_pb2 as _control_pb2
from loopwright.api.events.v1 import decision_pb2 as _decision_pb2_1
from loopwright.api.events.v1 import feedback_pb2 as _feedback_pb2
from loopwright.api.events.v1 import model_pb2 as _model_pb2
from loopwright.api.events.v1 import policy_pb2 as _policy_pb2
from loopwright.api.events.v1 import profile_pb2 as _profile_pb2
from loopwright.api.events.v1 import projection_pb2 as _projection_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Event(_message.Message):
    __slots__ = ("event_id", "occurred_at", "recorded_at", "producer", "surface", "versions", "client_event_id", "replica", "may_ignore", "slate_decided", "funnel_chunk", "items_viewed", "action_taken", "organic_interaction", "item_upserted", "item_withdrawn", "inventory_changed", "safety_labelled", "profile_updated", "creator_followed", "creator_unfollowed", "creator_blocked", "subject_erased", "clock_set", "policy_published", "policy_activated", "policy_rolled_back", "fallback_prepared", "model_trained", "model_evaluated", "replica_reported", "item_facts_derived", "item_row_folded", "event_set_aside")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_FIELD_NUMBER: _ClassVar[int]
    RECORDED_AT_FIELD_NUMBER: _ClassVar[int]
    PRODUCER_FIELD_NUMBER: _ClassVar[int]
    SURFACE_FIELD_NUMBER: _ClassVar[int]
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    CLIENT_EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    REPLICA_FIELD_NUMBER: _ClassVar[int]
    MAY_IGNORE_FIELD_NUMBER: _ClassVar[int]
    SLATE_DECIDED_FIELD_NUMBER: _ClassVar[int]
    FUNNEL_CHUNK_FIELD_NUMBER: _ClassVar[int]
    ITEMS_VIEWED_FIELD_NUMBER: _ClassVar[int]
    ACTION_TAKEN_FIELD_NUMBER: _ClassVar[int]
    ORGANIC_INTERACTION_FIELD_NUMBER: _ClassVar[int]
    ITEM_UPSERTED_FIELD_NUMBER: _ClassVar[int]
    ITEM_WITHDRAWN_FIELD_NUMBER: _ClassVar[int]
    INVENTORY_CHANGED_FIELD_NUMBER: _ClassVar[int]
    SAFETY_LABELLED_FIELD_NUMBER: _ClassVar[int]
    PROFILE_UPDATED_FIELD_NUMBER: _ClassVar[int]
    CREATOR_FOLLOWED_FIELD_NUMBER: _ClassVar[int]
    CREATOR_UNFOLLOWED_FIELD_NUMBER: _ClassVar[int]
    CREATOR_BLOCKED_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_ERASED_FIELD_NUMBER: _ClassVar[int]
    CLOCK_SET_FIELD_NUMBER: _ClassVar[int]
    POLICY_PUBLISHED_FIELD_NUMBER: _ClassVar[int]
    POLICY_ACTIVATED_FIELD_NUMBER: _ClassVar[int]
    POLICY_ROLLED_BACK_FIELD_NUMBER: _ClassVar[int]
    FALLBACK_PREPARED_FIELD_NUMBER: _ClassVar[int]
    MODEL_TRAINED_FIELD_NUMBER: _ClassVar[int]
    MODEL_EVALUATED_FIELD_NUMBER: _ClassVar[int]
    REPLICA_REPORTED_FIELD_NUMBER: _ClassVar[int]
    ITEM_FACTS_DERIVED_FIELD_NUMBER: _ClassVar[int]
    ITEM_ROW_FOLDED_FIELD_NUMBER: _ClassVar[int]
    EVENT_SET_ASIDE_FIELD_NUMBER: _ClassVar[int]
    event_id: bytes
    occurred_at: _timestamp_pb2.Timestamp
    recorded_at: _timestamp_pb2.Timestamp
    producer: str
    surface: str
    versions: _decision_pb2.Versions
    client_event_id: str
    replica: str
    may_ignore: bool
    slate_decided: _decision_pb2_1.SlateDecided
    funnel_chunk: _decision_pb2_1.FunnelChunk
    items_viewed: _feedback_pb2.ItemsViewed
    action_taken: _feedback_pb2.ActionTaken
    organic_interaction: _feedback_pb2.OrganicInteraction
    item_upserted: _catalog_pb2.ItemUpserted
    item_withdrawn: _catalog_pb2.ItemWithdrawn
    inventory_changed: _catalog_pb2.InventoryChanged
    safety_labelled: _catalog_pb2.SafetyLabelled
    profile_updated: _profile_pb2.ProfileUpdated
    creator_followed: _profile_pb2.CreatorFollowed
    creator_unfollowed: _profile_pb2.CreatorUnfollowed
    creator_blocked: _profile_pb2.CreatorBlocked
    subject_erased: _profile_pb2.SubjectErased
    clock_set: _control_pb2.ClockSet
    policy_published: _policy_pb2.PolicyPublished
    policy_activated: _policy_pb2.PolicyActivated
    policy_rolled_back: _policy_pb2.PolicyRolledBack
    fallback_prepared: _policy_pb2.FallbackPrepared
    model_trained: _model_pb2.ModelTrained
    model_evaluated: _model_pb2.ModelEvaluated
    replica_reported: _control_pb2.ReplicaReported
    item_facts_derived: _projection_pb2.ItemFactsDerived
    item_row_folded: _projection_pb2.ItemRowFolded
    event_set_aside: EventSetAside
    def __init__(self, event_id: _Optional[bytes] = ..., occurred_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., recorded_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., producer: _Optional[str] = ..., surface: _Optional[str] = ..., versions: _Optional[_Union[_decision_pb2.Versions, _Mapping]] = ..., client_event_id: _Optional[str] = ..., replica: _Optional[str] = ..., may_ignore: _Optional[bool] = ..., slate_decided: _Optional[_Union[_decision_pb2_1.SlateDecided, _Mapping]] = ..., funnel_chunk: _Optional[_Union[_decision_pb2_1.FunnelChunk, _Mapping]] = ..., items_viewed: _Optional[_Union[_feedback_pb2.ItemsViewed, _Mapping]] = ..., action_taken: _Optional[_Union[_feedback_pb2.ActionTaken, _Mapping]] = ..., organic_interaction: _Optional[_Union[_feedback_pb2.OrganicInteraction, _Mapping]] = ..., item_upserted: _Optional[_Union[_catalog_pb2.ItemUpserted, _Mapping]] = ..., item_withdrawn: _Optional[_Union[_catalog_pb2.ItemWithdrawn, _Mapping]] = ..., inventory_changed: _Optional[_Union[_catalog_pb2.InventoryChanged, _Mapping]] = ..., safety_labelled: _Optional[_Union[_catalog_pb2.SafetyLabelled, _Mapping]] = ..., profile_updated: _Optional[_Union[_profile_pb2.ProfileUpdated, _Mapping]] = ..., creator_followed: _Optional[_Union[_profile_pb2.CreatorFollowed, _Mapping]] = ..., creator_unfollowed: _Optional[_Union[_profile_pb2.CreatorUnfollowed, _Mapping]] = ..., creator_blocked: _Optional[_Union[_profile_pb2.CreatorBlocked, _Mapping]] = ..., subject_erased: _Optional[_Union[_profile_pb2.SubjectErased, _Mapping]] = ..., clock_set: _Optional[_Union[_control_pb2.ClockSet, _Mapping]] = ..., policy_published: _Optional[_Union[_policy_pb2.PolicyPublished, _Mapping]] = ..., policy_activated: _Optional[_Union[_policy_pb2.PolicyActivated, _Mapping]] = ..., policy_rolled_back: _Optional[_Union[_policy_pb2.PolicyRolledBack, _Mapping]] = ..., fallback_prepared: _Optional[_Union[_policy_pb2.FallbackPrepared, _Mapping]] = ..., model_trained: _Optional[_Union[_model_pb2.ModelTrained, _Mapping]] = ..., model_evaluated: _Optional[_Union[_model_pb2.ModelEvaluated, _Mapping]] = ..., replica_reported: _Optional[_Union[_control_pb2.ReplicaReported, _Mapping]] = ..., item_facts_derived: _Optional[_Union[_projection_pb2.ItemFactsDerived, _Mapping]] = ..., item_row_folded: _Optional[_Union[_projection_pb2.ItemRowFolded, _Mapping]] = ..., event_set_aside: _Optional[_Union[EventSetAside, _Mapping]] = ...) -> None: ...

class EventSetAside(_message.Message):
    __slots__ = ("topic", "partition", "offset", "reason", "key", "value", "traceparent")
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    topic: str
    partition: int
    offset: int
    reason: str
    key: bytes
    value: bytes
    traceparent: str
    def __init__(self, topic: _Optional[str] = ..., partition: _Optional[int] = ..., offset: _Optional[int] = ..., reason: _Optional[str] = ..., key: _Optional[bytes] = ..., value: _Optional[bytes] = ..., traceparent: _Optional[str] = ...) -> None: ...
