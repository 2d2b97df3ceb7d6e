"""The log of the mesh: topics, envelope, writers, readers; on Kafka or in memory behind one interface."""

from loopwright.api.events.v1.event_pb2 import Event
from loopwright.eventlog.dead_letters import set_aside
from loopwright.eventlog.dedup import DedupWindow, Freshness, classify_all
from loopwright.eventlog.envelope import (
    HasNow,
    make_event,
    ms_of,
    occurred_at_ms,
    order_key,
    payload_name,
    recorded_at_ms,
    set_ms,
)
from loopwright.eventlog.kafka import KafkaEventLog
from loopwright.eventlog.memory import MemoryBroker, MemoryEventLog
from loopwright.eventlog.offsets import covers, missing, offsets_from_json, offsets_to_json
from loopwright.eventlog.outbox import Outbox
from loopwright.eventlog.outbox_bounds import OutboxSettings, Worth
from loopwright.eventlog.provisioning import check_topics, ensure_topics
from loopwright.eventlog.refusals import OffsetGone, WriterRefused
from loopwright.eventlog.replay import Window, replay, replay_ordered, window
from loopwright.eventlog.settings import LogSettings
from loopwright.eventlog.skipping import SkipAndCount
from loopwright.eventlog.tail import Tail
from loopwright.eventlog.topics import (
    ACTIONS,
    ALL_TOPICS,
    CATALOG,
    CONTROL,
    DEAD_LETTERS,
    DECISIONS,
    DEFAULT_PREFIX,
    FALLBACKS,
    FUNNELS,
    HEALTH,
    IMPRESSIONS,
    ITEM_FACTS,
    ITEM_ROWS,
    LATE,
    MESH_KEY,
    MODELS,
    ORGANIC,
    POLICIES,
    PROFILES,
    READINESS,
    Topic,
    topic_named,
)
from loopwright.eventlog.types import (
    UNDECODABLE,
    UNKNOWN_PAYLOAD,
    Encoded,
    EventLog,
    EventReader,
    Offsets,
    OnUndecodable,
    Position,
    Record,
    Undecodable,
)
from loopwright.eventlog.wall import WallClock, wall_now_ms
from loopwright.eventlog.writer import Appended, DurableWriter, Where

__all__ = [
    "ACTIONS",
    "ALL_TOPICS",
    "CATALOG",
    "CONTROL",
    "DEAD_LETTERS",
    "DECISIONS",
    "DEFAULT_PREFIX",
    "FALLBACKS",
    "FUNNELS",
    "HEALTH",
    "IMPRESSIONS",
    "ITEM_FACTS",
    "ITEM_ROWS",
    "LATE",
    "MESH_KEY",
    "MODELS",
    "ORGANIC",
    "POLICIES",
    "PROFILES",
    "READINESS",
    "UNDECODABLE",
    "UNKNOWN_PAYLOAD",
    "Appended",
    "DedupWindow",
    "DurableWriter",
    "Encoded",
    "Event",
    "EventLog",
    "EventReader",
    "Freshness",
    "HasNow",
    "KafkaEventLog",
    "LogSettings",
    "MemoryBroker",
    "MemoryEventLog",
    "OffsetGone",
    "Offsets",
    "OnUndecodable",
    "Outbox",
    "OutboxSettings",
    "Position",
    "Record",
    "SkipAndCount",
    "Tail",
    "Topic",
    "Undecodable",
    "WallClock",
    "Where",
    "Window",
    "Worth",
    "WriterRefused",
    "check_topics",
    "classify_all",
    "covers",
    "ensure_topics",
    "make_event",
    "missing",
    "ms_of",
    "occurred_at_ms",
    "offsets_from_json",
    "offsets_to_json",
    "order_key",
    "payload_name",
    "recorded_at_ms",
    "replay",
    "replay_ordered",
    "set_aside",
    "set_ms",
    "topic_named",
    "wall_now_ms",
    "window",
]
