"""The table of all topics: who writes them, what keys them, what they carry and how long it is kept.

`deploy/kafka/topics.yaml` says the same for operators; a test keeps both equal.
"""

from __future__ import annotations

from dataclasses import dataclass, field

DEFAULT_PREFIX = "loopwright."
MESH_KEY = b"mesh"
ANY_WRITER = "*"

_DAY_MS = 86_400_000
FOREVER_MS = -1
LONG_MS = 400 * _DAY_MS
"""A year of comparisons and a month to make them."""
MEDIUM_MS = 30 * _DAY_MS
SHORT_MS = 7 * _DAY_MS
"""Longer than any outage of stage 2 that a rebuild from the sources would not follow anyway."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic.

    Attributes:
        name: Name without the prefix.
        writers: The one service that may append; `*` for the one topic that every service writes.
        key: What the record key is.
        payloads: Names of the payloads it carries.
        retention_ms: How long records are kept by log time; -1: for ever.
        compacted: True when each record holds the whole state of its key and older ones may go.
    """

    name: str
    writers: frozenset[str]
    key: str
    payloads: frozenset[str]
    retention_ms: int
    compacted: bool = field(default=False)


def _topic(name: str, writer: str, key: str, payloads: str, retention_ms: int, *, compacted: bool = False) -> Topic:
    return Topic(name, frozenset({writer}), key, frozenset(payloads.split()), retention_ms, compacted)


CATALOG = _topic(
    "catalog",
    "ingest",
    "item",
    "item_upserted item_withdrawn inventory_changed safety_labelled",
    FOREVER_MS,
)
PROFILES = _topic(
    "profiles",
    "ingest",
    "subject",
    "profile_updated creator_followed creator_unfollowed creator_blocked subject_erased",
    FOREVER_MS,
)
DECISIONS = _topic("decisions", "exposure", "subject", "slate_decided", LONG_MS)
FUNNELS = _topic("funnels", "exposure", "subject", "funnel_chunk", MEDIUM_MS)
IMPRESSIONS = _topic("impressions", "exposure", "subject", "items_viewed", LONG_MS)
ACTIONS = _topic("actions", "exposure", "subject", "action_taken", LONG_MS)
ORGANIC = _topic("organic", "ingest", "subject", "organic_interaction", LONG_MS)
CONTROL = _topic("control", "ingest", "mesh", "clock_set", FOREVER_MS)
LATE = _topic("late", "projector", "as the source", "event_set_aside", LONG_MS)
DEAD_LETTERS = _topic("dead_letters", "projector", "as the source", "event_set_aside", LONG_MS)
ITEM_FACTS = _topic("item_facts", "projector", "item", "item_facts_derived", SHORT_MS)
ITEM_ROWS = _topic("item_rows", "projector", "item, group version", "item_row_folded", FOREVER_MS, compacted=True)
POLICIES = _topic("policies", "policy", "surface", "policy_published policy_activated policy_rolled_back", FOREVER_MS)
FALLBACKS = _topic("fallbacks", "policy", "surface", "fallback_prepared", FOREVER_MS, compacted=True)
MODELS = _topic("models", "trainer", "model", "model_trained model_evaluated", FOREVER_MS)
READINESS = _topic("readiness", ANY_WRITER, "replica, kind, artefact", "replica_reported", FOREVER_MS, compacted=True)
HEALTH = _topic("health", "monitor", "SLO", "", FOREVER_MS)
"""Declared with its writer; it has no payloads yet, and nothing is appended to it."""

ALL_TOPICS: tuple[Topic, ...] = (
    CATALOG,
    PROFILES,
    DECISIONS,
    FUNNELS,
    IMPRESSIONS,
    ACTIONS,
    ORGANIC,
    CONTROL,
    LATE,
    DEAD_LETTERS,
    ITEM_FACTS,
    ITEM_ROWS,
    POLICIES,
    FALLBACKS,
    MODELS,
    READINESS,
    HEALTH,
)

_BY_NAME = {topic.name: topic for topic in ALL_TOPICS}


def topic_named(name: str) -> Topic:
    """Return the topic of this name.

    Raises:
        KeyError: There is none.
    """
    return _BY_NAME[name]
