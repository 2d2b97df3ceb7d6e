"""Sends dead letters back: their original bytes, appended once more to the topic they came from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from loopwright.cli.dead_letters.letters import Letter, Place, flaw_now
from loopwright.eventlog import Encoded, EventLog, topic_named
from loopwright.rpc import Deadline

APPEND_WITHIN_S = 10.0
AT_ONCE = 500
"""Letters of one append: a failure in between leaves few whose fate is open."""

OpenLog = Callable[[str], AbstractAsyncContextManager[EventLog]]
"""Opens the log in the name of a topic's writer."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What would go back, in the order of the source, and what is refused with the reason."""

    usable: tuple[Letter, ...]
    refused: tuple[tuple[Letter, str], ...]


@dataclass(frozen=True, slots=True)
class Returned:
    """A letter that went back, and where its record lies now."""

    letter: Letter
    now: Place


def plan_for(letters: Sequence[Letter]) -> Plan:
    """Judge letters by this build: what it still cannot use does not go back."""
    judged = [(letter, flaw_now(letter)) for letter in sorted(letters, key=lambda letter: letter.place)]
    return Plan(
        tuple(letter for letter, flaw in judged if not flaw), tuple((letter, flaw) for letter, flaw in judged if flaw)
    )


async def send_back(open_log: OpenLog, letters: Sequence[Letter], done: list[Returned]) -> None:
    """Append the letters' bytes under their keys, in the name of each topic's one writer.

    The bytes hold the original event id, so a record that was folded in the meantime is dropped as a repeat, and
    sending the same letter twice counts once.

    Args:
        open_log: Opens the log for a writer.
        letters: What to send, in this order within a topic.
        done: Gets each letter once the log acknowledged it, also those before a failure.

    Raises:
        AppendTimeout: Not acknowledged in time; the rest is not sent. Sending again is safe.
        LogUnavailable: The log refused or cannot be reached.
    """
    for name in dict.fromkeys(letter.place.topic for letter in letters):
        topic = topic_named(name)
        (writer,) = topic.writers
        of_topic = [letter for letter in letters if letter.place.topic == name]
        async with open_log(writer) as log:
            for first in range(0, len(of_topic), AT_ONCE):
                part = of_topic[first : first + AT_ONCE]
                entries = [Encoded(letter.key, letter.value, letter.traceparent) for letter in part]
                positions = await log.append_encoded(topic, entries, deadline=Deadline.after(APPEND_WITHIN_S))
                for letter, at in zip(part, positions, strict=True):
                    done.append(Returned(letter, Place(name, at.partition, at.offset)))
