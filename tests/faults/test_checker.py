"""The checker is held to its word: a log or history with one thing wrong is caught, and by the right name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loopwright.eventlog import ACTIONS, DECISIONS, FUNNELS, IMPRESSIONS, Event, Record
from tests.faults.checker import Case, Refusal, check
from tests.faults.facts import LogFacts
from tests.faults.history import Entry, Kind, Operation, fault_entry
from tests.faults.recording import CALLS, SCENARIO, USERS, Run, recorded_run
from tests.faults.verdict import Verdict

QUICK = settings(max_examples=25, deadline=None)
OWN = {DECISIONS.name, FUNNELS.name, IMPRESSIONS.name, ACTIONS.name}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return recorded_run(tmp_path_factory.mktemp("recording"))


def judged(
    entries: list[Entry],
    records: list[Record],
    allowed: tuple[Refusal, ...] = (),
    overruns: dict[str, float] | None = None,
) -> Verdict:
    log = LogFacts()
    log.add(records)
    return check(Case(entries, log, SCENARIO, allowed=allowed, overruns=overruns))


def edited(record: Record, change: Callable[[Event], object]) -> Record:
    event = Event()
    event.CopyFrom(record.event)
    change(event)
    return record._replace(event=event, value=event.SerializeToString())


def places(run: Run, *topics: str) -> list[int]:
    return [place for place, record in enumerate(run.records) if record.topic in topics]


def test_a_faultless_run_passes(run: Run) -> None:
    verdict = judged(run.entries, run.records)
    assert verdict.broken == {}
    assert verdict.calls == {"recommend ok": CALLS, "impressions ok": CALLS, "actions ok": CALLS}
    assert (verdict.raw_duplicates, verdict.degraded) == (0, CALLS // 5)


@QUICK
@given(data=st.data())
def test_any_dropped_record_is_lost(run: Run, data: st.DataObject) -> None:
    place = data.draw(st.sampled_from(places(run, *OWN)))
    assert set(judged(run.entries, run.records[:place] + run.records[place + 1 :]).broken) == {"lost"}


@QUICK
@given(data=st.data())
def test_any_record_sent_twice_is_a_raw_duplicate_and_breaks_nothing(run: Run, data: st.DataObject) -> None:
    place = data.draw(st.sampled_from(places(run, *OWN)))
    later = data.draw(st.integers(place + 1, len(run.records)))
    again = edited(run.records[place], lambda event: event.recorded_at.FromSeconds(9_000_000_000))
    verdict = judged(run.entries, [*run.records[:later], again, *run.records[later:]])
    assert (verdict.broken, verdict.raw_duplicates) == ({}, 1)


@QUICK
@given(data=st.data())
def test_one_id_with_two_contents_is_doubled(run: Run, data: st.DataObject) -> None:
    place = data.draw(st.sampled_from(places(run, *OWN)))

    def change(event: Event) -> None:
        event.surface = "other"

    again = edited(run.records[place], change)
    assert "doubled" in judged(run.entries, [*run.records, again]).broken


@QUICK
@given(data=st.data())
def test_a_second_decision_of_a_request_is_doubled(run: Run, data: st.DataObject) -> None:
    place = data.draw(st.sampled_from(places(run, DECISIONS.name)))

    def change(event: Event) -> None:
        event.event_id = b"\xff" * 16
        event.slate_decided.decision_id = b"\xff" * 16
        event.slate_decided.funnel_chunks = 0

    again = edited(run.records[place], change)
    assert set(judged(run.entries, [*run.records, again]).broken) == {"doubled"}


def test_a_request_answered_with_two_decisions_is_doubled(run: Run) -> None:
    _, answered = (e for e in run.entries if e.request_id == f"{SCENARIO}.5")
    other = next(e for e in run.entries if e.kind is Kind.OK and e.request_id == f"{SCENARIO}.9")
    entries = [*run.entries, replace(answered, decision_id=other.decision_id, degradations=other.degradations)]
    assert "doubled" in judged(entries, run.records).broken


@QUICK
@given(data=st.data())
def test_two_records_of_a_subject_in_the_wrong_order_are_caught(run: Run, data: st.DataObject) -> None:
    topic = data.draw(st.sampled_from([DECISIONS.name, IMPRESSIONS.name, ACTIONS.name]))
    first = data.draw(st.sampled_from(places(run, topic)[: -2 * USERS]))
    record = run.records[first]

    def in_its_lane(other: Record) -> bool:
        return (other.topic, other.key, other.event.replica) == (topic, record.key, record.event.replica)

    later = [p for p in places(run, topic) if p > first and in_its_lane(run.records[p])]
    second = data.draw(st.sampled_from(later))
    records = list(run.records)
    records[first], records[second] = run.records[second], run.records[first]
    assert set(judged(run.entries, records).broken) == {"disorder"}


@QUICK
@given(data=st.data())
def test_another_policy_version_is_caught(run: Run, data: st.DataObject) -> None:
    place = data.draw(st.sampled_from(places(run, DECISIONS.name)))
    versions = sorted({run.records[p].event.versions.policy_version for p in places(run, DECISIONS.name)})

    def change(event: Event) -> None:
        (event.versions.policy_version,) = set(versions) - {event.versions.policy_version}

    assert set(judged(run.entries, _with(run, place, change)).broken) == {"versions"}


@QUICK
@given(data=st.data(), field=st.sampled_from(["ranker_version", "two_tower_version", "policy_version"]))
def test_a_version_that_nobody_published_or_pinned_is_caught(run: Run, data: st.DataObject, field: str) -> None:
    place = data.draw(st.sampled_from(places(run, DECISIONS.name)))
    records = _with(run, place, lambda event: setattr(event.versions, field, "f" * 64))
    assert set(judged(run.entries, records).broken) == {"versions"}


@QUICK
@given(data=st.data())
def test_a_removed_degradation_is_caught(run: Run, data: st.DataObject) -> None:
    flagged = [p for p in places(run, DECISIONS.name) if run.records[p].event.slate_decided.degradations]
    place = data.draw(st.sampled_from(flagged))
    records = _with(run, place, lambda event: event.slate_decided.ClearField("degradations"))
    assert set(judged(run.entries, records).broken) == {"unflagged"}


@QUICK
@given(data=st.data())
def test_another_subject_is_caught(run: Run, data: st.DataObject) -> None:
    place = data.draw(st.sampled_from(places(run, DECISIONS.name, IMPRESSIONS.name, ACTIONS.name)))

    def change(event: Event) -> None:
        payload = getattr(event, event.WhichOneof("payload"))
        holder = payload.request if payload.DESCRIPTOR.name == "SlateDecided" else payload
        holder.subject = b"\xee" * 16

    assert set(judged(run.entries, _with(run, place, change)).broken) == {"phantom"}


def test_a_decision_that_nobody_asked_for_is_a_phantom(run: Run) -> None:
    entries = [entry for entry in run.entries if entry.request_id != f"{SCENARIO}.7"]
    assert set(judged(entries, run.records).broken) == {"phantom"}


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("a failed source", lambda decided: setattr(decided.sources[0], "failed", True)),
        ("a user group", lambda decided: setattr(decided.user_group_mask, "data", b"\x02\x00\x00")),
        ("an item group", lambda d: setattr(d.slate_candidates.group_mask, "data", b"\x02" * (8 * 5))),
        ("the ranker", lambda decided: _unranked(decided)),
        ("a place", lambda decided: decided.slate.pop()),
        ("the fallback order", lambda decided: setattr(decided.sources[0], "source", 6)),
    ],
)
def test_what_a_record_shows_to_be_missing_has_to_be_flagged(run: Run, name: str, change: Callable) -> None:
    place = places(run, DECISIONS.name)[3]
    records = _with(run, place, lambda event: change(event.slate_decided))
    assert set(judged(run.entries, records).broken) == {"unflagged"}, name


def _unranked(decided) -> None:  # type: ignore[no-untyped-def]
    decided.ClearField("head_names")
    decided.head_names.append("retrieval")


def test_a_silent_answer_while_the_store_is_away_is_caught(run: Run) -> None:
    start = replace(fault_entry(Kind.FAULT_START, "hold", "redis", 1, SCENARIO), at_ms=5_000.0)
    end = replace(fault_entry(Kind.FAULT_END, "hold", "redis", 1, SCENARIO), at_ms=9_000.0)
    verdict = judged([start, *run.entries, end], run.records)
    assert set(verdict.broken) == {"unflagged"}
    # calls end at 0.1 s past each second; demands begin .3 s after the fault: those at 6.1, 7.1 and 8.1 s, two each
    assert len(verdict.unflagged) == 2 * 3


def test_an_answer_without_the_ledger_is_caught(run: Run) -> None:
    start = replace(fault_entry(Kind.FAULT_START, "hold", "exposure", 1, SCENARIO), at_ms=20_500.0)
    assert len(judged([start, *run.entries], run.records).unflagged) == 3


def _ended(run: Run, **change: object) -> list[Entry]:
    entries = list(run.entries)
    place = next(p for p, e in enumerate(entries) if e.kind is Kind.OK and e.operation == Operation.ACTIONS)
    entries[place] = replace(entries[place], **change)  # type: ignore[arg-type]
    return entries


def test_a_deadline_exceeded_or_a_late_reply_is_late(run: Run) -> None:
    gone = _ended(run, kind=Kind.UNKNOWN, events=(), code="DEADLINE_EXCEEDED", reason="DEADLINE_EXCEEDED")
    assert set(judged(gone, run.records).broken) == {"late"}
    assert set(judged(_ended(run, latency_ms=1_011.0), run.records).broken) == {"late"}
    assert judged(_ended(run, latency_ms=1_009.0), run.records).broken == {}


def test_work_past_the_deadline_is_late(run: Run) -> None:
    assert judged(run.entries, run.records, overruns={"ranking Score": 0.0}).broken == {}
    assert len(judged(run.entries, run.records, overruns={"ranking Score": 2.0}).late) == 2


def test_a_refusal_needs_its_line_in_the_scenarios_table_and_a_time_to_come_back(run: Run) -> None:
    down = _ended(run, kind=Kind.UNKNOWN, events=(), code="UNAVAILABLE", reason="LEDGER_DOWN", retry_after_s=0.5)
    allowed = (("actions", "UNAVAILABLE", "LEDGER_DOWN"),)
    assert set(judged(down, run.records).broken) == {"refused"}
    assert judged(down, run.records, allowed).broken == {}
    mute = _ended(run, kind=Kind.UNKNOWN, events=(), code="UNAVAILABLE", reason="LEDGER_DOWN")
    assert set(judged(mute, run.records, allowed).broken) == {"refused"}


def test_a_refusal_is_allowed_only_around_its_fault(run: Run) -> None:
    down = _ended(run, kind=Kind.UNKNOWN, events=(), code="UNAVAILABLE", reason="UNAVAILABLE")
    log = LogFacts()
    log.add(run.records)
    at_ms = next(entry.at_ms for entry in down if entry.kind is Kind.UNKNOWN)
    for until_ms, broken in ((at_ms + 1, set()), (at_ms - 1, {"refused"})):
        case = Case(down, log, SCENARIO, allowed=(("*", "UNAVAILABLE", "*"),), allowed_until_ms=until_ms)
        assert set(check(case).broken) == broken


def test_an_unknown_outcome_may_be_on_the_log_or_not(run: Run) -> None:
    entries = _ended(run, kind=Kind.UNKNOWN, events=(), code="UNAVAILABLE", reason="UNAVAILABLE")
    allowed = (("*", "UNAVAILABLE", "*"),)
    assert judged(entries, run.records, allowed).broken == {}
    gone = places(run, ACTIONS.name)[0]
    assert judged(entries, run.records[:gone] + run.records[gone + 1 :], allowed).broken == {}


def _with(run: Run, place: int, change: Callable[[Event], object]) -> list[Record]:
    return [edited(record, change) if p == place else record for p, record in enumerate(run.records)]
