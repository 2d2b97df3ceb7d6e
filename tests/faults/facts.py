"""What the log says, as small values: records in, facts out; the checker reads them, several scenarios share them."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from loopwright.bundle.activation import PolicyState, apply
from loopwright.domain.enums import DegradationReason, Mask, Purpose, Source, Stage
from loopwright.eventlog import Event, Record, occurred_at_ms, order_key, payload_name
from loopwright.pipeline.convert.tensors import from_tensor

STAGES = {int(stage): stage.name for stage in Stage}
REASONS = {int(reason): reason.name for reason in DegradationReason}
UNKNOWN = "?"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record lies, which replica appended it, and what orders it among the facts of its subject."""

    topic: str
    partition: int
    offset: int
    replica: str
    order: tuple[int, str, bytes]


@dataclass(frozen=True, slots=True)
class Fact:
    """One record of a subject: a decision, a part of a funnel, a report or an action; `content` ignores resending."""

    event_id: bytes
    subject: bytes
    place: Place
    content: bytes


@dataclass(frozen=True, slots=True)
class Decision:
    """What a SlateDecided says of itself; degradations as `STAGE/REASON/subject`."""

    fact: Fact
    decision_id: bytes
    request_id: str
    purpose: int
    k: int
    shown: int
    occurred_at_ms: int
    versions: tuple[str, ...]
    feature_groups: tuple[str, ...]
    degradations: tuple[str, ...]
    head_names: tuple[str, ...]
    failed_sources: tuple[str, ...]
    fallback: bool
    unanswered_user: tuple[str, ...]
    unanswered_items: tuple[str, ...]
    absent_user: tuple[str, ...]
    user_groups: tuple[str, ...]
    funnel_chunks: int

    @property
    def policy_version(self) -> str:
        """The bundle it ran under."""
        return self.versions[0]


@dataclass(slots=True)
class LogFacts:
    """Everything read so far; facts in the order in which they were added, a partition's in offset order."""

    facts: list[Fact] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    chunks: dict[bytes, set[int]] = field(default_factory=lambda: defaultdict(set))
    subjects_with_past: set[bytes] = field(default_factory=set)
    policies: PolicyState = field(default_factory=PolicyState)

    def add(self, records: Iterable[Record]) -> None:
        """Take records, of one partition in offset order."""
        for record in records:
            event = record.event
            match payload_name(event):
                case "slate_decided":
                    self._fact(record, event.slate_decided.request.subject)
                    self.decisions.append(_decision(self.facts[-1], event))
                case "funnel_chunk":
                    self._fact(record, event.funnel_chunk.subject)
                    self.chunks[event.funnel_chunk.decision_id].add(event.funnel_chunk.index)
                case "items_viewed":
                    self._fact(record, event.items_viewed.subject)
                case "action_taken":
                    self._fact(record, event.action_taken.subject)
                case "organic_interaction":
                    self.subjects_with_past.add(event.organic_interaction.subject)
                case _:
                    self.policies = apply(self.policies, event)

    def _fact(self, record: Record, subject: bytes) -> None:
        event = record.event
        place = Place(record.topic, record.partition, record.offset, event.replica, order_key(event))
        self.facts.append(Fact(event.event_id, subject, place, _content(event)))


def _content(event: Event) -> bytes:
    """Return a digest of what a fact says; when and by whom it was recorded may differ between two sendings.

    A report or action that a client repeats to another replica is stamped anew, and may be late by then: the first
    one counts.
    """
    said = Event()
    said.CopyFrom(event)
    for name in ("recorded_at", "replica", "producer"):
        said.ClearField(name)
    if payload_name(said) in ("items_viewed", "action_taken"):
        said.ClearField("occurred_at")
        getattr(said, payload_name(said)).ClearField("late")
    return hashlib.blake2b(said.SerializeToString(deterministic=True), digest_size=16).digest()


def _decision(fact: Fact, event: Event) -> Decision:
    decided, versions = event.slate_decided, event.versions
    user_mask = from_tensor(decided.user_group_mask, "user_group_mask", np.uint8)
    item_mask = from_tensor(decided.slate_candidates.group_mask, "group_mask", np.uint8, (None, None))
    users, items = tuple(decided.user_groups), tuple(decided.item_groups)
    return Decision(
        fact=fact,
        decision_id=decided.decision_id,
        request_id=decided.request.request_id,
        purpose=int(decided.request.purpose),
        k=decided.request.k,
        shown=len(decided.slate),
        occurred_at_ms=occurred_at_ms(event),
        versions=(
            versions.policy_version, versions.two_tower_version, versions.pre_ranker_version, versions.ranker_version,
        ),
        feature_groups=tuple(versions.feature_groups),
        degradations=tuple(flag(int(d.stage), int(d.reason), d.subject) for d in decided.degradations),
        head_names=tuple(decided.head_names),
        failed_sources=tuple(_source(int(s.source)) for s in decided.sources if s.failed),
        fallback=any(int(s.source) == Source.FALLBACK for s in decided.sources),
        unanswered_user=_masked(users, user_mask, Mask.NOT_ANSWERED),
        unanswered_items=_masked(items, item_mask.max(axis=0, initial=0), Mask.NOT_ANSWERED),
        absent_user=_masked(users, user_mask, Mask.ABSENT),
        user_groups=users,
        funnel_chunks=decided.funnel_chunks,
    )  # fmt: skip


def flag(stage: int, reason: int, subject: str) -> str:
    """Return a degradation as text."""
    return f"{STAGES.get(stage, UNKNOWN)}/{REASONS.get(reason, UNKNOWN)}/{subject}"


def _source(number: int) -> str:
    return Source(number).name.lower() if number in set(Source) else UNKNOWN


def _masked(groups: tuple[str, ...], mask: np.ndarray, value: Mask) -> tuple[str, ...]:
    return tuple(name for name, found in zip(groups, mask.tolist(), strict=False) if found == value)


def is_served(decision: Decision) -> bool:
    """Say whether a person saw it."""
    return decision.purpose == Purpose.SERVE
