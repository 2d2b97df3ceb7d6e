"""Holds a history and the whole log against each other, as set algebra; pure: entries and facts in, a verdict out.

An outcome UNKNOWN may or may not be on the log, but never twice; the rules are named in `RULES`, one function each.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from tests.faults.demands import broken_demands, has, lost, stretches
from tests.faults.facts import Decision, Fact, LogFacts, is_served
from tests.faults.history import Entry, Kind, Operation
from tests.faults.verdict import Verdict

LATE_SLACK_MS = 10
"""A reply may reach its caller this much after the deadline: gRPC's timers and the caller's own loop."""

SWITCH_SLACK_MS = 1_000
"""A version may be decided under this long after the next one's activation."""

OUTCOMES = (Kind.OK, Kind.FAIL, Kind.UNKNOWN)
Refusal = tuple[str, str, str]
"""Operation, status code, reason; "*": any."""


@dataclass(frozen=True, slots=True)
class Case:
    """What the rules read.

    Attributes:
        entries: The scenario's history.
        log: The whole log.
        scenario: Prefix of the scenario's request ids, "": all are judged.
        surface: Surface of its requests.
        allowed: Refusals that the scenario's faults justify,
        allowed_from_ms: of calls that ended from here,
        allowed_until_ms: to here, monotonic.
        overruns: Handlers that worked on past their deadline, by process and method.
        since: Number of facts that were on the log before; their repetitions were counted then.
    """

    entries: Sequence[Entry]
    log: LogFacts
    scenario: str = ""
    surface: str = "home"
    allowed: Iterable[Refusal] = ()
    allowed_from_ms: float = 0.0
    allowed_until_ms: float = float("inf")
    overruns: Mapping[str, float] | None = None
    since: int = 0

    @property
    def ended(self) -> list[Entry]:
        """The ends of calls."""
        return [entry for entry in self.entries if entry.kind in OUTCOMES]

    @property
    def answered(self) -> list[Entry]:
        """OK answers of the front door."""
        return [e for e in self.ended if e.kind is Kind.OK and e.operation == Operation.RECOMMEND]

    @property
    def decisions(self) -> list[Decision]:
        """Served decisions of this scenario on the log."""
        return [d for d in self.log.decisions if is_served(d) and d.request_id.startswith(self.scenario)]


def check(case: Case) -> Verdict:
    """Return what every rule found."""
    verdict = Verdict()
    for entry in case.ended:
        verdict.calls[f"{entry.operation} {entry.kind}"] += 1
        if entry.kind is not Kind.OK:
            verdict.refusals[f"{entry.operation} {entry.code} {entry.reason}"] += 1
    verdict.degraded = sum(bool(entry.degradations) for entry in case.answered)
    for rule in RULES:
        rule(case, verdict)
    return verdict


def nothing_acknowledged_is_lost(case: Case, verdict: Verdict) -> None:
    """Acknowledged decisions, their funnels, reports and actions are a subset of the log."""
    events = {fact.event_id.hex() for fact in case.log.facts}
    decisions = {d.decision_id.hex(): d for d in case.log.decisions}
    for entry in case.ended:
        if entry.kind is not Kind.OK:
            continue
        if entry.operation == Operation.RECOMMEND:
            decided = decisions.get(entry.decision_id)
            if decided is None:
                verdict.lost.append(f"decision {entry.decision_id} of request {entry.request_id}")
            elif case.log.chunks[decided.decision_id] != set(range(decided.funnel_chunks)):
                verdict.lost.append(f"funnel of decision {entry.decision_id}")
        verdict.lost += [f"{entry.operation} {e} of {entry.process}" for e in entry.events if e not in events]


def nothing_is_logged_that_nobody_asked_for(case: Case, verdict: Verdict) -> None:
    """Served decisions are a subset of what was asked, by whom it was asked."""
    asked = {e.request_id: e for e in case.entries if e.kind is Kind.INVOKE and e.operation == Operation.RECOMMEND}
    for decision in case.decisions:
        invoked = asked.get(decision.request_id)
        if invoked is None:
            verdict.phantom.append(f"decision {decision.decision_id.hex()} of request {decision.request_id!r}")
        elif invoked.subject != decision.fact.subject.hex():
            verdict.phantom.append(f"request {decision.request_id} is logged for another subject")
    by_id = {d.decision_id.hex(): d for d in case.log.decisions}
    for entry in case.answered:
        logged = by_id.get(entry.decision_id)
        if logged is not None and logged.request_id != entry.request_id:
            verdict.phantom.append(f"decision {entry.decision_id} is logged for request {logged.request_id!r}")
    subjects = {fact.event_id.hex(): fact.subject.hex() for fact in case.log.facts}
    verdict.phantom += [
        f"{entry.operation} {event} is logged for another subject"
        for entry in case.ended
        for event in entry.events
        if subjects.get(event, entry.subject) != entry.subject
    ]


def each_fact_counts_once(case: Case, verdict: Verdict) -> None:
    """One id has one content; one request has one decision beside those whose record says ids were unchecked."""
    first: dict[bytes, Fact] = {}
    for place, fact in enumerate(case.log.facts):
        known = first.setdefault(fact.event_id, fact)
        if known is not fact and place >= case.since:
            verdict.raw_duplicates += 1
            if known.content != fact.content:
                verdict.doubled.append(f"event {fact.event_id.hex()} at {_at(known)} and, unlike it, at {_at(fact)}")
    by_request: dict[tuple[bytes, str], dict[bytes, Decision]] = defaultdict(dict)
    for decision in case.decisions:
        by_request[decision.fact.subject, decision.request_id].setdefault(decision.decision_id, decision)
    for (_, request_id), found in by_request.items():
        checked = [d for d in found.values() if not has(d.degradations, "RECORD", "IDEMPOTENCY_UNCHECKED/")]
        if len(checked) > 1:
            verdict.doubled.append(f"request {request_id}: decisions {sorted(d.hex() for d in found)}")
    answers: dict[str, set[str]] = defaultdict(set)
    for entry in case.answered:
        answers[entry.request_id].add(entry.decision_id)
    verdict.doubled += [f"request {r} was answered with {sorted(ids)}" for r, ids in answers.items() if len(ids) > 1]


def no_reply_is_late(case: Case, verdict: Verdict) -> None:
    """Every call ends by its deadline, other than by it, and no handler works on past it."""
    for entry in case.ended:
        if entry.code == "DEADLINE_EXCEEDED":
            verdict.late.append(f"{entry.operation} {entry.call} of {entry.process}: DEADLINE_EXCEEDED")
        elif entry.latency_ms > entry.deadline_ms + LATE_SLACK_MS:
            verdict.late.append(f"{entry.operation} {entry.call} of {entry.process}: {entry.latency_ms:.0f} ms")
    for place, count in (case.overruns or {}).items():
        verdict.late += [f"{place} worked past its deadline"] * round(count)


def no_degraded_answer_is_silent(case: Case, verdict: Verdict) -> None:
    """What a record or a standing fault shows to be missing is among its degradations, and the answer says the same."""
    by_id = {d.decision_id.hex(): d for d in case.log.decisions}
    away = stretches(case.entries)
    for decision in case.decisions:
        for missing in silent(decision, case):
            verdict.unflagged.append(f"decision {decision.decision_id.hex()}: {missing}")
    for entry in case.answered:
        logged = by_id.get(entry.decision_id)
        if logged is not None and not tells_as_much(entry.degradations, logged.degradations):
            verdict.unflagged.append(
                f"decision {entry.decision_id}: answered {entry.degradations}, logged {logged.degradations}"
            )
        if entry.replayed:
            continue  # a stored answer is what it was when it was made
        asked_ms = entry.at_ms - entry.latency_ms
        for missing in broken_demands(away, asked_ms, entry.at_ms, entry.degradations):
            verdict.unflagged.append(f"decision {entry.decision_id} of {entry.request_id}: {missing} is not told")


def tells_as_much(answered: Iterable[str], logged: Iterable[str]) -> bool:
    """Say whether an answer has the record's degradations; it may add that a repeat may not find it.

    That the answer could not be kept for repeats shows only after its record is on the log.
    """
    answer, record = Counter(answered), Counter(logged)
    return record <= answer and set(answer - record) <= {"RECORD/IDEMPOTENCY_UNCHECKED/"}


def silent(decision: Decision, case: Case) -> list[str]:
    """Return what the record shows to be missing without a degradation that says so."""
    flags, found = decision.degradations, []
    stood_in = has(flags, "DECIDE", "FALLBACK/")
    for source in decision.failed_sources:
        if not has(flags, "RETRIEVE", f"SOURCE_FAILED/{source}", "TIMEOUT/", "UNAVAILABLE/"):
            found.append(f"source {source} failed")
    for group in decision.unanswered_user:
        if not has(flags, "HYDRATE_USER", f"NOT_ANSWERED/{group}") and not lost(flags, "HYDRATE_USER"):
            found.append(f"user group {group} was not answered")
    for group in decision.unanswered_items:
        told = has(flags, "HYDRATE_ITEMS", f"NOT_ANSWERED/{group}") or lost(flags, "HYDRATE_ITEMS")
        if not told and not stood_in:
            found.append(f"item group {group} was not answered")
    bundle = case.log.policies.published.get(decision.policy_version)
    ranked = bundle is not None and bundle.bundle.models.ranked
    if ranked and decision.head_names == ("retrieval",) and not lost(flags, "RANK") and not stood_in:
        found.append("no ranker scored")
    if decision.fallback and not (stood_in or has(flags, "RETRIEVE", "FALLBACK/")):
        found.append("the fallback order stood in")
    if decision.shown < decision.k and not has(flags, "DECIDE", "SHORT_SLATE/"):
        found.append(f"{decision.shown} of {decision.k} places are filled")
    known = decision.user_groups and decision.fact.subject in case.log.subjects_with_past
    if known and decision.absent_user == decision.user_groups and not has(flags, "HYDRATE_USER"):
        found.append("a user with a past was served as a new one")
    return found


def versions_hold_within_their_interval(case: Case, verdict: Verdict) -> None:
    """A decision's version was active at its time, give or take the slack; its parts are all of that version."""
    intervals = case.log.policies.intervals(case.surface)
    by_id = {d.decision_id.hex(): d for d in case.log.decisions}
    for decision in case.decisions:
        name, version, at_ms = decision.decision_id.hex(), decision.policy_version, decision.occurred_at_ms
        published = case.log.policies.published.get(version)
        if published is None:
            verdict.versions.append(f"decision {name} names policy {version!r}, which was never published")
            continue
        models, features = published.bundle.models, published.bundle.features
        pinned = (version, models.two_tower, models.pre_ranker, models.ranker)
        if decision.versions != pinned or decision.feature_groups != (*features.user, *features.item):
            verdict.versions.append(f"decision {name} mixes versions: {decision.versions} under {pinned}")
        if has(decision.degradations, "RECOMMEND", "STALE_POLICY_FEED/", "PREVIOUS_POLICY/"):
            continue
        held = (i for i in intervals if i.version == version)
        if not any(i.from_ms <= at_ms < (i.until_ms or at_ms) + SWITCH_SLACK_MS for i in held):
            verdict.versions.append(f"decision {name} at {at_ms} under {version[:12]}, which was not active then")
    for entry in case.answered:
        logged = by_id.get(entry.decision_id)
        if logged is not None and logged.policy_version != entry.policy_version:
            verdict.versions.append(f"decision {entry.decision_id} was answered under another version than logged")


def facts_of_a_subject_are_in_order(case: Case, verdict: Verdict) -> None:
    """What one replica appended of one subject lies in order; decisions answered in turn have rising times.

    What one call reported was under way at once: it has an order by its ids and none by its places.
    """
    acknowledged = {e: entry.call for entry in case.ended if entry.kind is Kind.OK for e in entry.events}
    acknowledged_decisions = {entry.decision_id for entry in case.answered}
    decision_of = {d.fact.event_id: d.decision_id.hex() for d in case.log.decisions}
    newest: dict[tuple[str, bytes, str], Fact] = {}
    seen: set[bytes] = set()
    for fact in case.log.facts:
        counted = fact.event_id.hex() in acknowledged or decision_of.get(fact.event_id, "") in acknowledged_decisions
        if not counted or fact.event_id in seen:
            continue
        seen.add(fact.event_id)
        lane = (fact.place.topic, fact.subject, fact.place.replica)
        before = newest.get(lane)
        calls = {acknowledged.get(one.event_id.hex()) for one in (before, fact) if one is not None}
        if before is not None and before.place.order > fact.place.order and (len(calls) > 1 or None in calls):
            verdict.disorder.append(f"{_at(fact)} lies after {_at(before)}, which is newer")
        else:
            newest[lane] = fact
    latest: dict[str, Entry] = {}
    for entry in sorted(case.answered, key=lambda e: e.at_ms):
        before_it = latest.get(entry.process)
        if before_it is not None and not entry.replayed and entry.decided_at_ms < before_it.decided_at_ms:
            verdict.disorder.append(f"decision {entry.decision_id} is older than the one {entry.process} had before")
        latest[entry.process] = entry


def refusals_are_those_that_the_fault_allows(case: Case, verdict: Verdict) -> None:
    """Each call ends OK or as the scenario's table says; an unavailable mesh tells when to come back."""
    allowed = set(case.allowed)
    for entry in case.ended:
        if entry.kind is Kind.OK or entry.code == "DEADLINE_EXCEEDED":
            continue
        kinds = {(o, entry.code, r) for o in (entry.operation, "*") for r in (entry.reason, "*")}
        in_time = case.allowed_from_ms <= entry.at_ms <= case.allowed_until_ms
        if not kinds & allowed or not in_time:
            verdict.refused.append(f"{entry.operation} {entry.call} of {entry.process}: {entry.code} {entry.reason}")
        # a reason of its own says that a process of ours answered, not the caller's channel
        ours = entry.reason != entry.code and entry.code in ("UNAVAILABLE", "RESOURCE_EXHAUSTED")
        if ours and entry.retry_after_s is None:
            verdict.refused.append(f"{entry.operation} {entry.call}: {entry.code} {entry.reason} without RetryInfo")


RULES: tuple[Callable[[Case, Verdict], None], ...] = (
    nothing_acknowledged_is_lost,
    nothing_is_logged_that_nobody_asked_for,
    each_fact_counts_once,
    no_reply_is_late,
    no_degraded_answer_is_silent,
    versions_hold_within_their_interval,
    facts_of_a_subject_are_in_order,
    refusals_are_those_that_the_fault_allows,
)


def _at(fact: Fact) -> str:
    return f"{fact.place.topic}/{fact.place.partition}@{fact.place.offset}"
