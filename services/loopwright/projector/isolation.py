"""Finds the records that make a fold raise, so that they are set aside and every other one is folded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, TypeVar

from loopwright.eventlog import Record
from loopwright.faults import Fault

State = TypeVar("State")
StateOut = TypeVar("StateOut", covariant=True)


class Poison(NamedTuple):
    """A record that decodes and cannot be folded, and what its fold raised: the type alone, for texts hold data."""

    record: Record
    detail: str


class Fold(Protocol[StateOut]):
    """A fold of one subject: a scratch copy, thrown away when it raises, for then it may be half changed."""

    def apply(self, record: Record) -> None:
        """Take a record."""
        ...

    def encode(self) -> StateOut:
        """Return the state after all that was taken."""
        ...


def detail_of(error: Exception) -> str:
    """Return what may be told of an error; the messages of our own faults hold no personal data."""
    return error.message if isinstance(error, Fault) else f"the fold raised {type(error).__name__}"


def without(records: Sequence[Record], poison: Sequence[Poison]) -> list[Record]:
    """Return the records that are not poison, in their order."""
    places = {(record.topic, record.partition, record.offset) for record, _ in poison}
    return [record for record in records if (record.topic, record.partition, record.offset) not in places]


def poisonous(
    records: Sequence[Record], state: State, restore: Callable[[State], Fold[State]]
) -> tuple[list[Poison], State]:
    """Return the records of one subject whose fold raises, and the state after all others.

    Where taking a record raises, the records before it are taken again, so each is taken a few times at most, however
    many are poison. Where only encoding raises, the records are halved until the one to blame is found.

    Args:
        records: The records, in their order.
        state: The state before them.
        restore: Makes a fold of a state.

    Raises:
        MemoryError: For want of memory no record is to blame.
    """
    poison: list[Poison] = []
    rest = records
    while rest:
        fold, taken = restore(state), 0
        try:
            for record in rest:
                fold.apply(record)
                taken += 1
            return poison, fold.encode()
        except MemoryError:
            raise
        except Exception as error:
            blamed = [] if taken == len(rest) > 1 else [Poison(rest[min(taken, len(rest) - 1)], detail_of(error))]
        cut = len(rest) // 2 if not blamed else min(taken, len(rest) - 1)
        before, state = poisonous(rest[:cut], state, restore)
        poison += [*before, *blamed]
        rest = rest[cut + len(blamed) :]
    return poison, state
