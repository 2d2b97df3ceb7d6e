"""`loopwright recommend`: a file of users in, their lists through the real front door out; nothing is explored."""

from __future__ import annotations

import asyncio
import json
import os
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Protocol

import typer

from loopwright.cli.clients import Ask, front_door
from loopwright.cli.importing.rows import LATEST_S, parse_time
from loopwright.cli.mesh_access import DEFAULT_DATA_DIR, AsJson, DataDir, err, live_mesh, out
from loopwright.cli.progress import progress_bars
from loopwright.domain.enums import DegradationReason
from loopwright.faults import Fault, FieldViolation, InvalidRequest, Kind
from loopwright.pipeline.answer import Answer
from loopwright.pipeline.types import Degradation

IN_FLIGHT = 4
"""Requests under way at once: enough to hide the hops of one machine's mesh, too few to queue past the deadline."""

DEADLINE_S = 2.0
ASKED_AGAIN = 2
PAUSE_S = 0.5
"""Wait before degraded answers are asked again: the feed's and the projector's intervals lie below it."""

DEGRADED = 3
"""Exit code when answers stayed degraded."""

LONGEST_ID_BYTES = 256

_PASSING = frozenset({Kind.UNAVAILABLE, Kind.DEADLINE, Kind.RESOURCE_EXHAUSTED, Kind.ABORTED})


class Door(Protocol):
    """What this module needs of the front door."""

    async def evaluate(self, ask: Ask, request_id: str, timeout_s: float) -> Answer:
        """Return the list of a user."""
        ...


@dataclass(frozen=True, slots=True)
class Lists:
    """What came of asking, by user in the order asked.

    Attributes:
        lists: User -> ranked external item ids.
        decisions: User -> id of the decision, for `explain`.
        degraded: User -> why no answer was whole; such a user has no list.
        policy_versions: Those that decided; more than one when the policy was switched meanwhile.
    """

    lists: Mapping[str, tuple[str, ...]]
    decisions: Mapping[str, str]
    degraded: Mapping[str, str]
    policy_versions: tuple[str, ...]


def recommend(
    users: Annotated[Path, typer.Option(help="One external user id a line, no header; blank lines are skipped, a user "
                                             "named twice is asked once.")],
    lists: Annotated[Path, typer.Option("--out", help="JSON file: one object, user id -> ranked item ids, in the order "
                                                      "of the users file. Written whole or not at all.")],
    k: Annotated[int, typer.Option("--k", min=1, max=200, help="Items a list. A catalogue with fewer eligible items "
                                                               "gives a shorter list, which counts as whole.")] = 20,
    at: Annotated[str, typer.Option(help="Mesh time to decide at: Unix seconds or ISO 8601. Default: now.")] = "",
    surface: Annotated[str, typer.Option(help="Surface whose active policy decides.")] = "home",
    no_explore: Annotated[bool, typer.Option("--no-explore", help="Accepted and implied: lists to judge never "
                                                                  "explore.")] = True,
    record_funnel: Annotated[bool, typer.Option("--record-funnel", help="Log every candidate of each list.")] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Ask the live mesh for lists to judge (purpose EVALUATE): unknown users are served as new ones.

    A degraded answer is asked again twice; when some stay degraded, the users are named on standard error, nothing is
    written, and the exit code is 3.
    """
    run = live_mesh(data_dir)
    try:
        asks = [Ask(user, k, surface, read_time(at), record_funnel) for user in read_users(users)]
        with progress_bars() as progress:
            task = progress.add_task("lists", total=len(asks))
            found = asyncio.run(_through(run.addresses["recommender"], asks, lambda: progress.advance(task)))
    except Fault as fault:
        err.print(str(fault), highlight=False, markup=False)
        raise typer.Exit(1) from fault
    if found.degraded:
        err.print(f"{len(found.degraded)} of {len(asks)} answers stayed degraded; {lists} was not written")
        for user, why in found.degraded.items():
            err.print(f"{user}: {why}", highlight=False, markup=False, soft_wrap=True)
        raise typer.Exit(DEGRADED)
    write_lists(lists, found.lists)
    if as_json:
        summary: dict[str, Any] = {"users": len(asks), "k": k, "out": str(lists)}
        summary |= {"policy_versions": found.policy_versions, "decisions": dict(found.decisions)}
        out.print_json(json.dumps(summary))
        return
    out.print(f"{len(asks)} lists of up to {k} items in {lists}", highlight=False, soft_wrap=True)


async def _through(target: str, asks: Sequence[Ask], told: Callable[[], object]) -> Lists:
    async with front_door(target) as door:
        return await ask_all(door, asks, run_id=uuid.uuid4().hex[:16], told=told)


async def ask_all(
    door: Door, asks: Sequence[Ask], *, run_id: str, told: Callable[[], object] = lambda: None, pause_s: float = PAUSE_S
) -> Lists:
    """Ask for every list, degraded ones up to three times, `IN_FLIGHT` at once.

    Args:
        door: The front door.
        asks: At most one a user.
        run_id: Makes the request ids of this run its own; at most 40 characters.
        told: Called once a user, when the first answer is there.
        pause_s: Wait before asking again.

    Raises:
        Fault: A refusal that asking again does not change, such as an unknown surface.
    """
    found: dict[int, _Outcome] = {}
    left = list(range(len(asks)))
    for attempt in range(1 + ASKED_AGAIN):
        if attempt and left:
            await asyncio.sleep(pause_s)
        found |= await _round(door, asks, left, f"{run_id}.{attempt}", (lambda: None) if attempt else told)
        left = [index for index in left if found[index].shortcomings]
    whole = {ask.user_id: found[index] for index, ask in enumerate(asks) if not found[index].shortcomings}
    return Lists(
        lists={user: outcome.items for user, outcome in whole.items()},
        decisions={user: outcome.decision_id for user, outcome in whole.items()},
        degraded={asks[index].user_id: found[index].shortcomings for index in left},
        policy_versions=tuple(dict.fromkeys(outcome.policy_version for outcome in whole.values())),
    )


@dataclass(frozen=True, slots=True)
class _Outcome:
    items: tuple[str, ...]
    shortcomings: str
    policy_version: str = ""
    decision_id: str = ""


async def _round(
    door: Door, asks: Sequence[Ask], indices: Sequence[int], prefix: str, told: Callable[[], object]
) -> dict[int, _Outcome]:
    found: dict[int, _Outcome] = {}
    waiting = iter(indices)

    async def work() -> None:
        for index in waiting:
            found[index] = await _asked(door, asks[index], f"{prefix}.{index}")
            told()

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(IN_FLIGHT, len(indices))):
                group.create_task(work())
    except* Fault as refused:
        raise _first(refused) from refused
    return found


async def _asked(door: Door, ask: Ask, request_id: str) -> _Outcome:
    try:
        answer = await door.evaluate(ask, request_id, DEADLINE_S)
    except Fault as fault:
        if fault.kind not in _PASSING:
            raise
        return _Outcome((), fault.reason)
    items = tuple(item.external_id for item in answer.items)
    version, decision = answer.versions.policy_version, answer.decision_id.hex()
    return _Outcome(items, shortcomings(answer.degradations), version, decision)


def _first(group: BaseExceptionGroup[Fault]) -> Fault:
    found = group.exceptions[0]
    return _first(found) if isinstance(found, BaseExceptionGroup) else found


def shortcomings(degradations: Sequence[Degradation]) -> str:
    """Return what made an answer less than whole, "" when nothing did.

    A short slate alone is whole: a small catalogue has fewer eligible items than were asked for, and asking again
    finds no more.
    """
    return ", ".join(
        " ".join(filter(None, (d.stage.name.lower(), d.reason.name, d.subject)))
        for d in degradations
        if d.reason is not DegradationReason.SHORT_SLATE
    )


def read_users(path: Path) -> list[str]:
    """Return the users of a file, one a line, in order, each once.

    Raises:
        InvalidRequest: It cannot be read, is not UTF-8, or a line is longer than an id may be.
    """
    try:
        lines = path.read_text("utf-8-sig").split("\n")
    except OSError as error:
        raise _refused(path, f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise _refused(path, "is not UTF-8") from error
    users: dict[str, None] = {}
    for number, line in enumerate(lines, start=1):
        user = line.strip()
        if len(user.encode()) > LONGEST_ID_BYTES:
            raise _refused(path, f"line {number} is longer than {LONGEST_ID_BYTES} bytes, the longest user id")
        if user:
            users[user] = None
    return list(users)


def read_time(text: str) -> int | None:
    """Return mesh milliseconds of Unix seconds or ISO 8601, None for "".

    Raises:
        InvalidRequest: It is neither, or outside 1970 to 2099.
    """
    if not text:
        return None
    try:
        seconds = parse_time(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < LATEST_S:
        description = "must be Unix seconds or ISO 8601, from 1970 to 2099"
        raise InvalidRequest(f"--at {description}", violations=[FieldViolation("--at", "time", description)])
    return round(seconds * 1000)


def _refused(path: Path, text: str) -> InvalidRequest:
    return InvalidRequest(f"{path}: {text}", violations=[FieldViolation(path.name, "users", text)])


def write_lists(path: Path, lists: Mapping[str, Sequence[str]]) -> None:
    """Write the lists as one JSON object, in one step on disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    document = {user: list(items) for user, items in lists.items()}
    partial.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", "utf-8")
    os.replace(partial, path)
