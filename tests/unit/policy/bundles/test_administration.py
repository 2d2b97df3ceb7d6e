import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.unit.policy.bundles.conftest import FakeReadiness

from loopwright.bundle import BundleFeed, canonical_json, default_bundle, default_document, policy_version, with_values
from loopwright.eventlog import POLICIES, MemoryBroker, MemoryEventLog, Position, payload_name
from loopwright.faults import (
    AppendTimeout,
    BundleInvalid,
    ExpectedPreviousMismatch,
    InvalidRequest,
    ReplicaNotReady,
    UnknownBundle,
    UnknownSurface,
)
from loopwright.lifecycle import FixedClock, ReplicaState
from loopwright.policy.bundles import Administration, ReadinessGate
from loopwright.policy.faults import NothingToRollBack, ReplicaPending
from loopwright.rpc import Deadline

DEFAULT = policy_version(default_bundle())


class Office:
    """An administration over a log in memory, with replicas that a test speaks for."""

    def __init__(self, broker: MemoryBroker) -> None:
        self.broker = broker
        self.log = MemoryEventLog(broker, producer="policy")
        self.feed = BundleFeed(self.log)
        self.view = FakeReadiness()
        self.clock = FixedClock(1_000)
        self.administration = Administration(self.log, self.feed, ReadinessGate(self.view), self.clock)

    async def publish(self, **changes: object) -> str:
        bundle = with_values(default_bundle(), {path.replace("__", "."): value for path, value in changes.items()})
        document = canonical_json(bundle).decode()
        done = await self.administration.publish(document, actor="anna", reason="test", deadline=Deadline.after(5))
        self.view.all_loaded(done.version)
        return done.version

    async def activate(self, version: str, expected: str, surface: str = "home") -> list[str]:
        self.clock.advance(10)
        return await self.administration.activate(
            surface, version, expected, actor="anna", reason="test", deadline=Deadline.after(5)
        )

    async def roll_back(self, surface: str = "home") -> str:
        self.clock.advance(10)
        return await self.administration.roll_back(surface, actor="anna", reason="test", deadline=Deadline.after(5))

    def active(self, surface: str = "home") -> str:
        active = self.feed.active(surface)
        return active.version if active else ""

    def facts(self) -> list[str]:
        return [payload_name(event) for event in self.broker.records(POLICIES)]


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    started = Office(MemoryBroker())
    async with started.feed:
        await started.administration.ensure_first(Deadline.after(5))
        yield started


async def test_the_first_start_publishes_and_activates_the_default_bundle_and_the_second_nothing(
    office: Office,
) -> None:
    assert office.active() == DEFAULT
    await office.administration.ensure_first(Deadline.after(5))
    again = Office(office.broker)
    async with again.feed:
        await again.administration.ensure_first(Deadline.after(5))
    assert office.facts() == ["policy_published", "policy_activated"]


async def test_a_first_start_that_was_cut_short_is_finished() -> None:
    office = Office(MemoryBroker())
    async with office.feed:
        await office.administration.publish(default_document(), actor="policy", reason="", deadline=Deadline.after(5))
        assert office.active() == ""
        await office.administration.ensure_first(Deadline.after(5))
        assert office.active() == DEFAULT
    assert office.facts() == ["policy_published", "policy_activated"]


async def test_a_first_start_leaves_a_log_alone_on_which_others_have_published() -> None:
    office = Office(MemoryBroker())
    async with office.feed:
        await office.publish(ranking__best_n=50)
        await office.administration.ensure_first(Deadline.after(5))
        assert office.active() == ""


async def test_publishing_the_same_bundle_twice_appends_once_and_says_so(office: Office) -> None:
    version = await office.publish(ranking__best_n=50)
    document = canonical_json(office.feed.state.published[version].bundle).decode()
    again = await office.administration.publish(document, actor="ben", reason="", deadline=Deadline.after(5))
    assert (again.version, again.already_published) == (version, True)
    assert office.facts().count("policy_published") == 2  # the default and this one


async def test_an_invalid_document_is_refused_with_its_violations_and_nothing_is_appended(office: Office) -> None:
    before = office.facts()
    document = default_document().replace("slice_rate: 0.01", "slice_rate: 2.0")
    with pytest.raises(BundleInvalid) as caught:
        await office.administration.publish(document, actor="a", reason="", deadline=Deadline.after(5))
    assert [(v.field, v.description) for v in caught.value.violations] == [
        ("exploration.slice_rate", "must be at most 1")
    ]
    validated = await office.administration.validate(document)
    assert (validated.version, validated.violations) == ("", caught.value.violations)
    assert office.facts() == before


async def test_a_valid_document_validates_to_its_version(office: Office) -> None:
    assert (await office.administration.validate(default_document())).version == DEFAULT


async def test_activation_switches_once_everybody_is_ready_and_reads_its_own_write(office: Office) -> None:
    office.view.alive("ranking", "ranking-0")
    version = await office.publish(ranking__best_n=50)
    assert await office.activate(version, DEFAULT) == ["ranking-0"]
    active = office.feed.active("home")
    assert active is not None
    assert (active.version, active.previous, active.activated_at_ms) == (version, DEFAULT, office.clock.now_ms())


async def test_a_replica_that_refused_keeps_the_old_bundle_active(office: Office) -> None:
    office.view.alive("ranking", "ranking-0")
    version = await office.publish(ranking__best_n=50)
    office.view.say("ranking-0", "bundle", version, ReplicaState.REJECTED, "MODEL_NOT_FINITE: golden batch")
    with pytest.raises(ReplicaNotReady, match="MODEL_NOT_FINITE"):
        await office.activate(version, DEFAULT)
    assert office.active() == DEFAULT
    assert office.facts()[-1] == "policy_published"


async def test_a_replica_that_starts_between_publication_and_activation_is_waited_for(office: Office) -> None:
    version = await office.publish(ranking__best_n=50)
    office.view.alive("hydration", "hydration-1")
    with pytest.raises(ReplicaPending):
        await office.activate(version, DEFAULT)
    office.view.all_loaded(version)
    await office.activate(version, DEFAULT)
    assert office.active() == version


async def test_a_wrong_expectation_is_refused_with_what_is_active_before_anything_is_appended(office: Office) -> None:
    version = await office.publish(ranking__best_n=50)
    before = office.facts()
    for expected in ("", version, "f" * 64):
        with pytest.raises(ExpectedPreviousMismatch) as caught:
            await office.activate(version, expected)
        assert caught.value.metadata["active"] == DEFAULT
    assert office.facts() == before


async def test_activating_what_is_active_appends_nothing(office: Office) -> None:
    before = office.facts()
    await office.activate(DEFAULT, DEFAULT)
    assert office.facts() == before


async def test_unknown_surfaces_and_bundles_and_bundles_of_other_surfaces_are_refused(office: Office) -> None:
    other = await office.publish(surface="search")
    with pytest.raises(UnknownSurface):
        await office.activate(DEFAULT, "", surface="nowhere")
    with pytest.raises(UnknownBundle):
        await office.activate("f" * 64, DEFAULT)
    with pytest.raises(InvalidRequest) as caught:
        await office.activate(other, DEFAULT)
    assert caught.value.violations[0].field == "surface"
    with pytest.raises(UnknownSurface):
        await office.roll_back("nowhere")
    with pytest.raises(UnknownSurface):
        await office.roll_back("search")  # published, never activated


async def test_rolling_back_repeatedly_walks_back_to_the_first_and_waits_for_nobody(office: Office) -> None:
    first, second = [await office.publish(ranking__best_n=n) for n in (50, 51)]
    await office.activate(first, DEFAULT)
    await office.activate(second, first)
    office.view.alive("ranking", "ranking-9")  # has loaded nothing
    assert [await office.roll_back(), await office.roll_back()] == [first, DEFAULT]
    with pytest.raises(NothingToRollBack):
        await office.roll_back()
    assert office.active() == DEFAULT
    assert [interval.version for interval in office.feed.intervals("home")] == [DEFAULT, first, second, first, DEFAULT]


async def test_the_same_bundle_can_be_activated_again_after_a_rollback(office: Office) -> None:
    version = await office.publish(ranking__best_n=50)
    for _ in range(3):
        await office.activate(version, DEFAULT)
        assert office.active() == version
        assert await office.roll_back() == DEFAULT


async def test_of_two_activations_at_once_one_wins_and_the_other_is_told(office: Office) -> None:
    versions = [await office.publish(ranking__best_n=n) for n in (50, 51)]
    results = await asyncio.gather(*(office.activate(v, DEFAULT) for v in versions), return_exceptions=True)
    assert [type(result) for result in results] == [list, ExpectedPreviousMismatch]
    assert office.active() == versions[0]


async def test_of_two_policy_replicas_the_log_decides_who_was_first(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = [await office.publish(ranking__best_n=n) for n in (50, 51)]
    rival = Office(office.broker)
    append = rival.log.append

    async def overtaken(*args: Any, **kwargs: Any) -> Position:
        await office.activate(versions[0], DEFAULT)
        return await append(*args, **kwargs)

    async with rival.feed:
        monkeypatch.setattr(rival.log, "append", overtaken)
        with pytest.raises(ExpectedPreviousMismatch):
            await rival.activate(versions[1], DEFAULT)
        assert rival.active() == versions[0]
        assert rival.feed.state.voids[-1].reason == "EXPECTED_PREVIOUS_MISMATCH"
    assert office.facts()[-2:] == ["policy_activated", "policy_activated"]


async def test_an_append_that_fails_leaves_the_old_bundle_active_and_may_be_repeated(office: Office) -> None:
    version = await office.publish(ranking__best_n=50)
    office.broker.outage = AppendTimeout()
    with pytest.raises(AppendTimeout):
        await office.activate(version, DEFAULT)
    assert office.active() == DEFAULT
    office.broker.outage = None
    await office.activate(version, DEFAULT)
    assert office.active() == version


async def test_bundles_are_listed_newest_first_with_how_the_replicas_stand(office: Office) -> None:
    office.view.alive("policy", "policy-0")
    versions = [await office.publish(ranking__best_n=n) for n in (50, 51)]
    await office.publish(surface="search")
    await office.activate(versions[0], DEFAULT)
    listed = office.administration.summaries("home", 10)
    assert [(entry.published.version, entry.active) for entry in listed] == [
        (versions[1], False),
        (versions[0], True),
        (DEFAULT, False),
    ]
    assert [standing.ready for standing in listed[0].standings] == [True]
    assert [standing.ready for standing in listed[2].standings] == [False]
    assert len(office.administration.summaries("", 10)) == 4
    assert len(office.administration.summaries("", 1)) == 1
