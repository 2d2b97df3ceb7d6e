"""A small run made by hand, history and log: what a faultless mesh would leave behind; mutations start from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from loopwright.bundle import canonical_json, policy_version
from loopwright.domain.enums import ActionKind, DegradationReason, Stage
from loopwright.domain.ids import logical_partition
from loopwright.eventlog import ACTIONS, DECISIONS, FUNNELS, IMPRESSIONS, POLICIES, Event, Record
from loopwright.exposure.convert import action_event, viewed_event
from loopwright.exposure.reports import Act, Viewed
from loopwright.exposure.tokens import Claims
from loopwright.lifecycle import FixedClock
from loopwright.modelstore import ModelStore
from loopwright.pipeline.types import Degradation
from loopwright.policy.convert import activated_event, published_event
from tests.faults.facts import flag
from tests.faults.history import Entry, Kind, Operation
from tests.recorded_decisions import NOW_MS, events_of, ranked_bundle, recorded

SCENARIO = "run"
CALLS, USERS = 24, 4
STEP_MS = 1_000
SWITCH_AT = 12
REPLICAS = ("exposure-0", "exposure-1")
PARTITIONS = 4
NOTE = Degradation(Stage.HYDRATE_USER, DegradationReason.STALE_FEATURES, "user_taste.v1")


class Run:
    """Builds history and log side by side."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.records: list[Record] = []
        self._offsets: Counter[tuple[str, int]] = Counter()

    def log(self, topic: str, key: bytes, event: Event, replica: str) -> None:
        event.replica = replica
        logical = logical_partition(key)
        place = (topic, logical % PARTITIONS)
        value = event.SerializeToString()
        self.records.append(Record(*place, self._offsets[place], logical, key, event, value, "", NOW_MS))
        self._offsets[place] += 1

    def call(self, entry: Entry, latency_ms: float = 20.0) -> None:
        asked = Entry(
            Kind.INVOKE, entry.process, entry.operation, entry.call, entry.at_ms - latency_ms, entry.wall_ms,
            scenario=SCENARIO, request_id=entry.request_id, subject=entry.subject, deadline_ms=entry.deadline_ms,
        )  # fmt: skip
        self.entries += [asked, replace(entry, latency_ms=latency_ms)]


def recorded_run(folder: Path) -> Run:
    """Return two bundles, one after the other, two dozen slates of four users, and what became of them."""
    run, store = Run(), ModelStore(folder / "models")
    bundles = [ranked_bundle(store), ranked_bundle(store, diversity__mmr_lambda=0.5)]
    before = ""
    for ordinal, bundle in enumerate(bundles):
        version, clock = policy_version(bundle), FixedClock(NOW_MS + ordinal * SWITCH_AT * STEP_MS)
        told = {"actor": "test", "reason": ""}
        run.log(
            POLICIES.name,
            b"home",
            published_event(clock, "policy", "home", version, canonical_json(bundle), **told),
            "",
        )
        run.log(
            POLICIES.name, b"home",
            activated_event(
                clock, "policy", "home", version=version, expected_previous=before, ordinal=ordinal, **told
            ),
            "",
        )  # fmt: skip
        before = version
    for number in range(CALLS):
        _visit(run, store, bundles[number // SWITCH_AT], number)
    return run


def _visit(run: Run, store: ModelStore, bundle: object, number: int) -> None:
    record, answer = recorded(store, bundle, number, k=8)  # type: ignore[arg-type]
    user, replica = number % USERS, REPLICAS[number % 2]
    subject, at_ms = bytes([user + 1]) * 16, NOW_MS + number * STEP_MS + 100
    notes = (NOTE,) if number % 5 == 4 else ()
    asked = replace(record.request, subject=subject, request_id=f"{SCENARIO}.{number}")
    record = replace(record, request=asked, occurred_at_ms=at_ms, degradations=notes)
    slate, funnel = events_of(record, replace(answer, degradations=notes))
    for part in funnel:
        run.log(FUNNELS.name, subject, part, replica)
    run.log(DECISIONS.name, subject, slate, replica)
    known = {"subject": subject.hex(), "scenario": SCENARIO, "deadline_ms": 1_000}
    monotonic = float(number * STEP_MS + 100)
    run.call(
        Entry(
            Kind.OK,
            f"u{user}",
            Operation.RECOMMEND,
            3 * number,
            monotonic,
            at_ms,
            request_id=asked.request_id,
            k=8,
            decision_id=record.decision_id.hex(),
            decided_at_ms=at_ms,
            policy_version=record.versions.policy_version,
            degradations=tuple(flag(d.stage, d.reason, d.subject) for d in notes),
            **known,
        )
    )
    claims = [
        Claims(record.decision_id, subject, place.item_id, place.position, at_ms // 1000 + 9_000, "home")
        for place in record.slate
    ]
    for place, (operation, topic, event) in enumerate(_feedback(claims, number, at_ms + 200)):
        run.log(topic, subject, event, replica)
        run.call(
            Entry(
                Kind.OK,
                f"u{user}",
                operation,
                3 * number + 1 + place,
                monotonic + 100 * (place + 1),
                at_ms,
                decision_id=record.decision_id.hex(),
                events=(event.event_id.hex(),),
                **known,
            )
        )


def _feedback(claims: list[Claims], number: int, at_ms: int) -> Iterator[tuple[Operation, str, Event]]:
    clock = FixedClock(at_ms)
    identity = number.to_bytes(15, "big") + b"v"
    yield (
        Operation.IMPRESSIONS,
        IMPRESSIONS.name,
        viewed_event(identity, f"view.{number}", [Viewed(c, 0, True) for c in claims[:3]], False, at_ms, clock),
    )
    act = Act("", f"act.{number}", ActionKind.CLICK, 1.0, None)
    identity = number.to_bytes(15, "big") + b"a"
    yield (
        Operation.ACTIONS,
        ACTIONS.name,
        action_event(identity, act, claims[0], at_ms, late=False, liked=False, clock=clock),
    )
