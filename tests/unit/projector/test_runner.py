"""Bad records among good ones, through a running projector: what is folded, what is set aside, and what it costs."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from tests.replay.synthetic import Entry
from tests.unit.projector.logs import log_of, some
from tests.unit.projector.test_projector import PACE, rebuilt, running, settled, until

from loopwright.eventlog import DEAD_LETTERS, ORGANIC, Event, MemoryEventLog
from loopwright.eventlog.types import Encoded
from loopwright.faults import LogUnavailable
from loopwright.featurespec.folds.said import Said
from loopwright.featurespec.folds.users import UserFold
from loopwright.projector.replay import ReplayFold
from loopwright.projector.store import MemoryStore, hashes
from loopwright.projector.user_stage import UserStage
from loopwright.store import keys as row_keys

GOOD, POISON, CORRUPT = 10_000, 1_000, 1_000
TRACEPARENT = f"00-{'1' * 32}-{'2' * 16}-01"


@pytest.fixture
def fragile(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Make folds raise for marked events, half of them once all is taken; count the records taken."""
    taken: Counter[str] = Counter()
    take, encode = UserFold.take, UserFold.encode

    def take_or_raise(self: UserFold, said: Said, event: Event) -> None:
        taken["records"] += 1
        take(self, said, event)  # the state is changed before the fold raises
        if event.client_event_id.startswith("poison-apply"):
            raise ValueError(f"a text with data: {event.client_event_id}")
        if event.client_event_id.startswith("poison-encode"):
            self.__dict__["spoilt"] = True

    def encode_or_raise(self: UserFold) -> dict[str, bytes]:
        if "spoilt" in self.__dict__:
            raise OverflowError("another text with data")
        return encode(self)

    monkeypatch.setattr(UserFold, "take", take_or_raise)
    monkeypatch.setattr(UserFold, "encode", encode_or_raise)
    return taken


def poisoned(entry: Entry, number: int) -> Entry:
    topic, key, event = entry
    bad = Event.FromString(event.SerializeToString())
    bad.event_id = number.to_bytes(16, "big")
    bad.client_event_id = f"poison-{'encode' if number % 10 == 0 else 'apply'}-{number}"
    return topic, key, bad


async def test_all_good_records_are_folded_and_every_bad_one_is_set_aside_once(fragile: Counter[str]) -> None:
    good = some(GOOD)
    rng = random.Random(5)
    spoilt = set(rng.sample(range(100, GOOD), POISON + CORRUPT))
    bad = [*range(POISON), *[-1] * CORRUPT]
    rng.shuffle(bad)
    log, last = log_of([]), next(entry for entry in good if entry[0] is ORGANIC)
    for place, entry in enumerate(good):
        last = entry if entry[0] is ORGANIC else last
        if place in spoilt:
            number = bad.pop()
            raw = poisoned(last, number)[2].SerializeToString() if number >= 0 else b"\xff\xff"
            log.broker.inject(ORGANIC, last[1], raw)
        log_of([entry], log.broker)
    assert not bad
    store = MemoryStore()
    pace = PACE.model_copy(update={"batch_records": 2000})
    async with running(log, store, pace) as progress:
        await settled(log, progress)
    expected = await ReplayFold(log_of(good), MemoryStore()).run()
    assert await hashes(store) == expected.hashes
    asides = log.broker.records(DEAD_LETTERS)
    assert len(asides) == len({aside.event_id for aside in asides}) == POISON + CORRUPT
    assert Counter(aside.event_set_aside.reason for aside in asides) == {
        "POISON: the fold raised ValueError": POISON * 9 // 10,
        "POISON: the fold raised OverflowError": POISON // 10,
        "UNDECODABLE": CORRUPT,
    }
    places_set_aside = {(a.event_set_aside.partition, a.event_set_aside.offset) for a in asides}
    assert len(places_set_aside) == POISON + CORRUPT
    # As a whole, alone, and as a whole again; the few that raise when encoded cost their own users some halvings.
    assert fragile["records"] - expected.records < 12 * (GOOD + POISON)


async def test_a_record_set_aside_keeps_its_bytes_its_place_and_its_trace(fragile: Counter[str]) -> None:
    appended = some(60)
    topic, key, bad = poisoned(next(entry for entry in appended if entry[0] is ORGANIC), 1)
    broker = log_of(appended).broker
    at = broker.append(topic.name, Encoded(key, bad.SerializeToString(), TRACEPARENT))
    log = MemoryEventLog(broker, producer="projector")
    async with running(log, MemoryStore()) as progress:
        await settled(log, progress)
    [aside] = [event.event_set_aside for event in broker.records(DEAD_LETTERS)]
    assert (aside.topic, aside.partition, aside.offset) == (ORGANIC.name, at.partition, at.offset)
    assert (aside.key, aside.value, aside.traceparent) == (key, bad.SerializeToString(), TRACEPARENT)


async def test_a_poisonous_record_that_is_appended_again_after_a_repair_is_folded(fragile: Counter[str]) -> None:
    appended = some(60)
    bad = poisoned(next(entry for entry in appended if entry[0] is ORGANIC), 1)
    log, store = log_of([*appended, bad]), MemoryStore()
    async with running(log, store) as progress:
        await settled(log, progress)
    fragile.clear()
    repaired = Event.FromString(bad[2].SerializeToString())
    repaired.client_event_id = "repaired"  # the same event id, as a replay of dead letters appends it
    log_of([(bad[0], bad[1], repaired)], log.broker)
    async with running(log, store) as progress:
        await settled(log, progress)
    for rebuilt_from in (log, log_of([*appended, (*bad[:2], repaired)])):  # with the bad one in the same batch, without
        assert await hashes(store) == (await ReplayFold(rebuilt_from, MemoryStore()).run()).hashes


async def test_a_dead_letter_that_cannot_be_appended_holds_the_stage_back_and_loses_nothing(
    fragile: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    appended = some(120)
    organic = [entry for entry in appended if entry[0] is ORGANIC]
    log, store = (
        log_of([*appended, *(poisoned(entry, number) for number, entry in enumerate(organic[:5]))]),
        MemoryStore(),
    )
    log.broker.inject(ORGANIC, organic[0][1], b"\xff\xff")
    append_many, refused = MemoryEventLog.append_many, Counter[str]()

    async def append_or_refuse(self, topic, entries, *, deadline):  # type: ignore[no-untyped-def]
        if topic is DEAD_LETTERS and refused["times"] < 4:
            refused["times"] += 1
            raise LogUnavailable("away")
        return await append_many(self, topic, entries, deadline=deadline)

    monkeypatch.setattr(MemoryEventLog, "append_many", append_or_refuse)
    async with running(log, store) as progress:
        await settled(log, progress)
        await until(lambda: len({aside.event_id for aside in log.broker.records(DEAD_LETTERS)}) == 6)
    assert refused["times"] == 4
    assert await hashes(store) == (await ReplayFold(log_of(appended), MemoryStore()).run()).hashes


async def test_corrupt_records_are_set_aside_though_folding_what_came_with_them_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    appended = some(120)
    log, store = log_of(appended[:60]), MemoryStore()
    log.broker.inject(ORGANIC, appended[0][1], b"\xff\xff")
    log_of(appended[60:], log.broker)
    apply, failures = UserStage.apply, Counter[str]()

    async def apply_or_fail(self, records):  # type: ignore[no-untyped-def]
        failures["times"] += 1
        if failures["times"] <= 2:
            raise LogUnavailable("away")
        await apply(self, records)

    monkeypatch.setattr(UserStage, "apply", apply_or_fail)
    async with running(log, store, PACE.model_copy(update={"batch_records": 2000})) as progress:
        await settled(log, progress)
        await rebuilt(log, store)
    asides = log.broker.records(DEAD_LETTERS)
    assert len(asides) == 3  # once with each attempt
    assert len({aside.event_id for aside in asides}) == 1


async def test_progress_is_told_only_by_a_stage_that_has_caught_up() -> None:
    log, store = log_of(some(100)), MemoryStore()
    async with running(log, store) as progress:
        await settled(log, progress)
        await rebuilt(log, store)
        told = [int(value or 0) for value in await store.values([row_keys.progress(s) for s in ("users", "items")])]
    assert told == [log.broker.wall_ms()] * 2
