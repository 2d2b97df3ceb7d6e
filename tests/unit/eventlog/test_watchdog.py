from hypothesis import given
from hypothesis import strategies as st

from loopwright.eventlog.watchdog import MOST_DOUBLINGS, Watchdog

A, B = ("organic", 0), ("organic", 1)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def watching(stuck_after_s: float = 15.0) -> tuple[Watchdog, Clock]:
    clock = Clock()
    return Watchdog([A, B], stuck_after_s, clock), clock


def reads(watchdog: Watchdog, clock: Clock, seconds: float, *alive: tuple[str, int]) -> None:
    """Read five times a second; only the places that are alive give signs of life."""
    for _ in range(round(seconds * 5)):
        watchdog.reading()
        clock.now += 0.2
        watchdog.heard(alive)
        watchdog.has_read()


def test_a_place_is_a_suspect_only_after_the_whole_silence() -> None:
    watchdog, clock = watching()
    reads(watchdog, clock, 14)
    assert watchdog.suspects() == []
    reads(watchdog, clock, 2, B)
    assert watchdog.suspects() == [A]


def test_one_silent_partition_is_found_while_the_others_are_busy() -> None:
    watchdog, clock = watching()
    reads(watchdog, clock, 60, B)
    assert watchdog.suspects() == [A]


def test_the_log_is_asked_at_a_slow_pace() -> None:
    watchdog, clock = watching()
    reads(watchdog, clock, 20)
    assert watchdog.suspects()
    watchdog.asked()
    reads(watchdog, clock, 4)
    assert watchdog.suspects() == []
    reads(watchdog, clock, 2)
    assert watchdog.suspects() == [A, B]


def test_silence_while_nobody_read_says_nothing() -> None:
    watchdog, clock = watching()
    clock.now += 300
    watchdog.reading()
    watchdog.has_read()
    assert watchdog.suspects() == []


def test_a_partition_at_its_end_is_no_longer_watched() -> None:
    watchdog, clock = watching()
    watchdog.forget(A)
    reads(watchdog, clock, 60, B)
    assert watchdog.suspects() == []


def openings(watchdog: Watchdog, clock: Clock, seconds: float) -> int:
    found = 0
    for _ in range(round(seconds)):
        reads(watchdog, clock, 1, B)
        if suspects := watchdog.suspects():
            watchdog.asked()
            watchdog.opened_again(suspects)
            found += 1
    return found


def test_a_place_that_stays_silent_is_tried_ever_more_rarely() -> None:
    watchdog, clock = watching()
    assert openings(watchdog, clock, 20) == 1
    assert watchdog.patience_s == 30
    assert openings(watchdog, clock, 3_600) < 15
    assert watchdog.patience_s == 15 * 2**MOST_DOUBLINGS


def test_a_sign_of_life_ends_the_suspicion() -> None:
    watchdog, clock = watching()
    openings(watchdog, clock, 200)
    reads(watchdog, clock, 1, A)
    assert watchdog.patience_s == 15
    assert openings(watchdog, clock, 20) == 1


@given(st.lists(st.sampled_from(["a", "b", "nobody"]), min_size=1, max_size=300))
def test_a_partition_that_gave_a_sign_in_time_is_never_a_suspect(signs: list[str]) -> None:
    watchdog, clock = watching(stuck_after_s=3)
    last = {A: clock.now, B: clock.now}
    for sign in signs:
        alive = {"a": [A], "b": [B], "nobody": []}[sign]
        reads(watchdog, clock, 0.2, *alive)
        last |= dict.fromkeys(alive, clock.now)
        assert all(clock.now - last[place] >= 3 for place in watchdog.suspects())
