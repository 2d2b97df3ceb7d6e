import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.bundle.conftest import PolicyFacts

from loopwright.bundle import Interval, PolicyState, apply, default_bundle, with_values
from loopwright.eventlog import Event


def fold(events: list[Event]) -> PolicyState:
    state = PolicyState()
    for event in events:
        state = apply(state, event)
    return state


def version_of(state: PolicyState) -> str:
    active = state.active("home")
    return active.version if active else ""


def test_nothing_is_active_before_the_first_activation(facts: PolicyFacts) -> None:
    state = fold([facts.publish(facts.bundles[0])])
    assert state.active("home") is None
    assert state.intervals("home") == ()


def test_activation_switches_and_remembers_the_previous(facts: PolicyFacts) -> None:
    a, b = facts.versions[:2]
    events = [facts.publish(facts.bundles[0]), facts.publish(facts.bundles[1]), facts.activate(a)]
    state = fold([*events, facts.activate(b, expected=a)])
    active = state.active("home")
    assert active is not None
    assert (active.version, active.previous, active.activated_at_ms) == (b, a, facts.now_ms)


def test_rolling_back_walks_back_step_by_step_and_stops_at_the_first(facts: PolicyFacts) -> None:
    a, b, c, _ = facts.versions
    events = [facts.publish(bundle) for bundle in facts.bundles]
    events += [facts.activate(a), facts.activate(b, a), facts.activate(c, b)]
    assert version_of(fold(events)) == c
    events.append(facts.roll_back(b, c))
    assert version_of(fold(events)) == b
    events.append(facts.roll_back(a, b))
    assert version_of(fold(events)) == a
    events.append(facts.roll_back("", a))
    state = fold(events)
    assert version_of(state) == a
    assert state.voids[-1].reason == "NOTHING_TO_ROLL_BACK"


def test_a_bundle_activated_after_a_rollback_returns_to_the_bundle_rolled_back_to(facts: PolicyFacts) -> None:
    a, b, c, _ = facts.versions
    events = [facts.publish(bundle) for bundle in facts.bundles]
    events += [facts.activate(a), facts.activate(b, a), facts.roll_back(a, b), facts.activate(c, a)]
    assert version_of(fold(events)) == c
    assert version_of(fold([*events, facts.roll_back(a, c)])) == a


def test_void_facts_change_nothing_and_say_why(facts: PolicyFacts) -> None:
    a, b, c, _ = facts.versions
    other = with_values(default_bundle(), {"surface": "search"})
    start = [facts.publish(facts.bundles[0]), facts.publish(facts.bundles[1]), facts.publish(other), facts.activate(a)]
    before = fold(start)
    search = before.published[list(before.published)[2]].version
    for event, reason in [
        (facts.activate(b, expected=""), "EXPECTED_PREVIOUS_MISMATCH"),
        (facts.activate(b, expected=b), "EXPECTED_PREVIOUS_MISMATCH"),
        (facts.activate(c, expected=a), "UNKNOWN_BUNDLE"),
        (facts.activate(search, expected=a), "OTHER_SURFACE"),
        (facts.activate(a, expected=a), "ALREADY_ACTIVE"),
        (facts.roll_back(b, a), "NOTHING_TO_ROLL_BACK"),
        (facts.publish(facts.bundles[0]), "ALREADY_PUBLISHED"),
        (facts.publish(facts.bundles[2], canonical=b"{}"), "HASH_MISMATCH"),
        (facts.publish(facts.bundles[2], surface="search"), "OTHER_SURFACE"),
        (start[-1], "REPEATED"),
    ]:
        after = apply(before, event)
        assert after.voids[-1].reason == reason
        assert (after.published, after.surfaces) == (before.published, before.surfaces)


def test_a_bundle_that_this_build_cannot_read_is_void_with_the_violation(facts: PolicyFacts) -> None:
    from loopwright.bundle import version_of as hashed

    canonical = b'{"schema":2}'
    event = facts.publish(facts.bundles[0], canonical=canonical, policy_version=hashed(canonical))
    assert fold([event]).voids[0].reason.startswith("UNREADABLE: ")


def test_intervals_join_without_gaps_and_the_last_is_open(facts: PolicyFacts) -> None:
    a, b = facts.versions[:2]
    events = [facts.publish(facts.bundles[0]), facts.publish(facts.bundles[1])]
    events += [facts.activate(a), facts.activate(b, a), facts.roll_back(a, b)]
    _, second, third = (event.occurred_at.ToMilliseconds() for event in events[2:])
    assert fold(events).intervals("home") == (
        Interval(a, 0, second),
        Interval(b, second, third),
        Interval(a, third, None),
    )


def test_after_the_clock_was_set_back_the_last_version_of_before_held_until_the_next(facts: PolicyFacts) -> None:
    a, b, c, _ = facts.versions
    facts.now_ms = 1_700_000_000_000
    events = [facts.publish(bundle) for bundle in facts.bundles] + [facts.activate(a), facts.activate(b, a)]
    facts.now_ms = 5_000_000_000  # decades earlier
    events.append(facts.activate(c, b))
    set_back = events[-1].occurred_at.ToMilliseconds()
    assert fold(events).intervals("home") == (Interval(b, 0, set_back), Interval(c, set_back, None))


def test_a_small_step_back_of_the_clock_leaves_the_intervals_before_it(facts: PolicyFacts) -> None:
    a, b, c, _ = facts.versions
    facts.now_ms = 1_700_000_000_000
    events = [facts.publish(bundle) for bundle in facts.bundles] + [facts.activate(a), facts.activate(b, a)]
    second = events[-1].occurred_at.ToMilliseconds()
    facts.now_ms -= 5_000
    events.append(facts.activate(c, b))
    assert fold(events).intervals("home") == (Interval(a, 0, second), Interval(c, second, None))


def test_surfaces_do_not_touch_each_other(facts: PolicyFacts) -> None:
    search = with_values(default_bundle(), {"surface": "search"})
    state = fold([facts.publish(facts.bundles[0]), facts.publish(search), facts.activate(facts.versions[0])])
    assert state.active("search") is None


STEPS = st.lists(
    st.tuples(st.sampled_from(["publish", "activate", "roll_back", "repeat"]), st.integers(0, 3), st.integers(-1, 3)),
    max_size=40,
)


def script(steps: list[tuple[str, int, int]]) -> list[Event]:
    """Facts of administrators who may be wrong about everything."""
    facts = PolicyFacts()
    events: list[Event] = []
    for kind, which, expected in steps:
        named = facts.versions[expected] if expected >= 0 else ""
        if kind == "publish":
            events.append(facts.publish(facts.bundles[which]))
        elif kind == "activate":
            events.append(facts.activate(facts.versions[which], named))
        elif kind == "roll_back":
            events.append(facts.roll_back(named, facts.versions[which]))
        elif events:
            events.append(events[which % len(events)])
    return events


@given(STEPS)
def test_at_any_prefix_exactly_one_published_bundle_is_active_once_one_was(steps: list[tuple[str, int, int]]) -> None:
    state = PolicyState()
    for event in script(steps):
        was_active = state.active("home") is not None
        state = apply(state, event)
        active = state.active("home")
        assert active is not None or not was_active
        open_intervals = [interval for interval in state.intervals("home") if interval.until_ms is None]
        assert [interval.version for interval in open_intervals] == ([active.version] if active else [])
        if active:
            assert active.version in state.published
            assert active.previous != active.version


@given(STEPS)
def test_a_switch_happens_exactly_when_the_fact_expects_what_is_active(steps: list[tuple[str, int, int]]) -> None:
    state = PolicyState()
    for event in script(steps):
        before = version_of(state)
        state = apply(state, event)
        if version_of(state) != before:
            activated = event.HasField("policy_activated")
            fact = event.policy_activated if activated else event.policy_rolled_back
            assert fact.policy_version == version_of(state)
            assert (
                event.policy_activated.expected_previous if activated else event.policy_rolled_back.from_version
            ) == before


@given(STEPS)
def test_a_valid_rollback_undoes_the_last_activation(steps: list[tuple[str, int, int]]) -> None:
    state = fold(script(steps))
    active = state.active("home")
    unused = [v for v in state.published if active is None or v != active.version]
    if active is None or not unused:
        return
    facts = PolicyFacts()
    facts.now_ms = 10_000
    there = apply(state, facts.activate(unused[0], active.version))
    back = apply(there, facts.roll_back(active.version, unused[0]))
    assert (version_of(there), version_of(back)) == (unused[0], active.version)
    again = back.active("home")
    assert again is not None
    assert again.previous == active.previous


@given(STEPS, st.integers(0, 40))
def test_repeating_every_event_changes_nothing(steps: list[tuple[str, int, int]], at: int) -> None:
    events = script(steps)
    once, twice = fold(events), fold([event for event in events for _ in range(2)])
    replayed = fold(events + events[: at % (len(events) + 1)])
    for other in (twice, replayed):
        assert (other.published, other.surfaces) == (once.published, once.surfaces)


def test_the_fold_leaves_the_state_it_was_given_alone(facts: PolicyFacts) -> None:
    before = fold([facts.publish(facts.bundles[0])])
    apply(before, facts.activate(facts.versions[0]))
    assert before.active("home") is None
    with pytest.raises(TypeError):
        before.published["x"] = before.published[facts.versions[0]]  # type: ignore[index]
