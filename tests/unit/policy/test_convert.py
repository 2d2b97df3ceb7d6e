from loopwright.eventlog import Event
from loopwright.lifecycle import FixedClock
from loopwright.policy.convert import activated_event, published_event, rolled_back_event

CLOCK = FixedClock(5_000)


def activated(ordinal: int = 3, version: str = "b", expected_previous: str = "a") -> Event:
    return activated_event(
        CLOCK,
        "policy",
        "home",
        version=version,
        expected_previous=expected_previous,
        ordinal=ordinal,
        actor="anna",
        reason="why",
    )


def rolled_back(ordinal: int) -> Event:
    return rolled_back_event(
        CLOCK, "policy", "home", version="a", from_version="b", ordinal=ordinal, actor="anna", reason="why"
    )


def test_a_resent_fact_has_the_same_identity_and_another_switch_another() -> None:
    assert activated().event_id == activated().event_id
    identities = {
        event.event_id
        for event in (
            activated(),
            activated(ordinal=4),
            activated(version="c"),
            activated(expected_previous=""),
            rolled_back(3),
            rolled_back(4),
        )
    }
    assert len(identities) == 6


def test_a_publication_is_one_fact_whoever_makes_it() -> None:
    one, other = (published_event(CLOCK, "policy", "home", "a", b"{}", actor=who, reason="") for who in ("ann", "ben"))
    assert one.event_id == other.event_id


def test_the_envelope_says_who_where_and_when() -> None:
    event = activated()
    assert (event.producer, event.surface, event.occurred_at.ToMilliseconds()) == ("policy", "home", 5_000)
    fact = event.policy_activated
    assert (fact.policy_version, fact.expected_previous, fact.actor, fact.reason) == ("b", "a", "anna", "why")
