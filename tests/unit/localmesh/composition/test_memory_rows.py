import numpy as np
import pytest

from loopwright.exposure.answers import KEPT_MS
from loopwright.lifecycle import FixedClock
from loopwright.localmesh.composition.memory_rows import MemoryAnswers, MemoryRows, Volatile
from loopwright.projector.store import MemoryStore, Write
from loopwright.rpc import Deadline
from loopwright.store import keys

SUBJECT, OTHER = bytes(16), bytes(range(16))


def soon() -> Deadline:
    return Deadline.after(60)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(1_800_000_000_000)


@pytest.fixture
def volatile(clock: FixedClock) -> Volatile:
    return Volatile(clock.wall_ms)


async def test_the_first_claim_wins_and_ends_after_its_time(volatile: Volatile, clock: FixedClock) -> None:
    answers = MemoryAnswers(volatile)
    assert await answers.claim(SUBJECT, "r", b"one", soon()) is None
    assert await answers.claim(SUBJECT, "r", b"two", soon()) == b"one"
    assert await answers.claim(OTHER, "r", b"three", soon()) is None
    clock.advance(KEPT_MS - 1)
    assert await answers.claim(SUBJECT, "r", b"four", soon()) == b"one"
    clock.advance(1)
    assert await answers.claim(SUBJECT, "r", b"five", soon()) is None


async def test_a_forgotten_claim_is_free(volatile: Volatile) -> None:
    answers = MemoryAnswers(volatile)
    await answers.claim(SUBJECT, "r", b"one", soon())
    await answers.forget(SUBJECT, "r", b"one")
    await answers.forget(SUBJECT, "never claimed", b"one")
    assert await answers.claim(SUBJECT, "r", b"two", soon()) is None


async def test_what_is_not_the_claim_is_not_forgotten(volatile: Volatile) -> None:
    answers = MemoryAnswers(volatile)
    await answers.claim(SUBJECT, "r", b"one", soon())
    await answers.forget(SUBJECT, "r", b"another")
    assert await answers.claim(SUBJECT, "r", b"two", soon()) == b"one"
    await answers.keep(SUBJECT, "r", b"answer", (), soon())
    await answers.forget(SUBJECT, "r", b"one")
    assert await answers.claim(SUBJECT, "r", b"two", soon()) == b"answer"


async def test_answers_that_are_over_take_no_room(volatile: Volatile, clock: FixedClock) -> None:
    answers = MemoryAnswers(volatile)
    for number in range(100):
        await answers.claim(SUBJECT, str(number), b"x", soon())
        clock.advance(KEPT_MS // 4)
    assert len(volatile._answers) <= 5


async def test_only_served_slates_are_recent_and_only_for_ten_minutes(volatile: Volatile, clock: FixedClock) -> None:
    rows, answers = MemoryRows(MemoryStore(), volatile), MemoryAnswers(volatile)

    async def known(read_recent: bool = True) -> list[int]:
        row = await rows.user(SUBJECT, read_recent=read_recent, request_id="", stages=(), deadline=soon())
        return sorted(row.recent.tolist())

    await answers.keep(SUBJECT, "r", None, [1, 2], soon())
    await answers.keep(SUBJECT, "s", b"answer", (), soon())
    assert await known() == [1, 2]
    clock.advance(keys.RECENT_MS)
    assert await known() == [1, 2]
    clock.advance(1)
    await answers.keep(SUBJECT, "t", b"answer", [2], soon())
    assert await known() == [2]
    assert await known(read_recent=False) == []


async def test_rows_answers_and_progress_are_those_of_the_stores(volatile: Volatile) -> None:
    store = MemoryStore()
    rows = MemoryRows(store, volatile)
    await store.commit(
        [
            Write(
                rows={keys.user_row(SUBJECT): {"user_history.v1": b"h"}, keys.item_row(7): {"item_counts.v1": b"c"}},
                values={keys.progress("users"): b"12"},
            )
        ]
    )
    await MemoryAnswers(volatile).claim(SUBJECT, "r", b"packed", soon())
    row = await rows.user(SUBJECT, read_recent=True, request_id="r", stages=("users", "items"), deadline=soon())
    assert row.states == {"user_history.v1": b"h"} and row.stored_answer == b"packed"
    assert row.progress_ms == {"users": 12} and row.recent.dtype == np.uint64
    assert await rows.items([7, 8], soon()) == [(7, "item_counts.v1", b"c")]
    nobody = await rows.user(OTHER, read_recent=True, request_id="", stages=(), deadline=soon())
    assert nobody.states == {} and nobody.stored_answer == b""
