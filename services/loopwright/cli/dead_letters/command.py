"""`loopwright dlq list|show|replay`: an operator's view of dead letters, and the way back of those that can be used."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Annotated

import typer

from loopwright.cli.dead_letters.letters import Letter, parse_place, read_letters
from loopwright.cli.dead_letters.returning import Plan, Returned, plan_for, send_back
from loopwright.cli.dead_letters.tables import (
    hex_dump,
    letter_document,
    letter_table,
    list_document,
    list_tables,
    replay_document,
    replay_table,
)
from loopwright.cli.importing.rows import parse_time
from loopwright.cli.mesh_access import DEFAULT_DATA_DIR, AsJson, DataDir, err, live_mesh, out
from loopwright.eventlog import EventLog, KafkaEventLog, wall_now_ms
from loopwright.faults import Fault, FieldViolation, InvalidRequest, NotFound
from loopwright.localmesh.run_file import RunFile

REFUSED = 1
_UNITS_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_SPAN = re.compile(r"([0-9]{1,6})([smhd])")

dlq = typer.Typer(help="Records that the projector has set aside: list them, look at one, send them back.",
                  no_args_is_help=True)  # fmt: skip


@dlq.command("list")
def list_(
    topic: Annotated[str, typer.Option(help="Only letters from this source topic.")] = "",
    reason: Annotated[str, typer.Option(help="Only letters with this reason, such as POISON.")] = "",
    since: Annotated[str, typer.Option(help="Only letters that the log took since then: 90s, 30m, 2h, 7d, Unix "
                                            "seconds or an ISO 8601 time.")] = "",
    limit: Annotated[int, typer.Option(min=0, help="Newest letters to print; counts are of all.")] = 20,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Count dead letters by source topic and reason, and print the newest."""
    run = live_mesh(data_dir)
    try:
        since_ms = parse_since(since, wall_now_ms()) if since else None
        letters = chosen(asyncio.run(_read(run, since_ms)), topic, reason)
    except Fault as fault:
        raise _failed(fault) from fault
    if as_json:
        out.print_json(json.dumps(list_document(letters, limit)))
        return
    if not letters:
        out.print("no dead letters")
        return
    for table in list_tables(letters, limit):
        out.print(table)


@dlq.command()
def show(
    place: Annotated[str, typer.Argument(metavar="PLACE", help="topic/partition@offset of the source record.")],
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Print one letter: why it was set aside, whose it is, and its event, or its bytes where they do not decode."""
    run = live_mesh(data_dir)
    try:
        letter = the_one(asyncio.run(_read(run)), place)
    except Fault as fault:
        raise _failed(fault) from fault
    document = letter_document(letter)
    if as_json:
        out.print_json(json.dumps(document))
        return
    out.print(letter_table(letter))
    if document["event"] is None:
        out.print(hex_dump(letter.value), highlight=False, markup=False)
    else:
        out.print_json(json.dumps(document["event"]))


@dlq.command()
def replay(
    place: Annotated[str, typer.Argument(metavar="PLACE", help="topic/partition@offset of the source record.")] = "",
    all_of: Annotated[str, typer.Option(metavar="TOPIC/REASON", help="Instead: every letter from this topic with this "
                                                                     "reason.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Send; without it nothing is sent, only said.")] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Append letters' original bytes to their source topics again; exit code 1 when any is refused.

    Refused is what this build still could not use. What was folded in the meantime is dropped as a repeat.
    """
    run = live_mesh(data_dir)
    if bool(place) == bool(all_of):
        err.print("say one PLACE, or --all-of TOPIC/REASON")
        raise typer.Exit(REFUSED)
    returned: list[Returned] = []
    failure: Fault | None = None
    plan = Plan((), ())
    try:
        plan = plan_for(wanted(asyncio.run(_read(run)), place, all_of))
        if yes and plan.usable:
            asyncio.run(send_back(lambda writer: _log(run, writer), plan.usable, returned))
    except Fault as fault:
        failure = fault
    if plan != Plan((), ()):
        if as_json:
            out.print_json(json.dumps(replay_document(plan, returned, acted=yes)))
        else:
            out.print(replay_table(plan, returned, acted=yes))
    if failure is not None:
        raise _failed(failure) from failure
    if plan.refused:
        err.print(f"refused: {len(plan.refused)} that this build still cannot use")
        raise typer.Exit(REFUSED)


def parse_since(text: str, now_wall_ms: int) -> int:
    """Return the wall time in milliseconds that a span before now or a time names.

    Raises:
        InvalidRequest: It is neither.
    """
    if span := _SPAN.fullmatch(text):
        return now_wall_ms - int(span[1]) * _UNITS_S[span[2]] * 1000
    try:
        return max(0, round(parse_time(text) * 1000))
    except (ValueError, OverflowError) as error:
        rule = "must be a span such as 30m, Unix seconds or an ISO 8601 time"
        raise InvalidRequest(f"--since {rule}", violations=[FieldViolation("--since", "time", rule)]) from error


def chosen(letters: Sequence[Letter], topic: str, reason: str) -> list[Letter]:
    """Return the letters from a topic and with a reason; "" takes any."""
    return [
        letter
        for letter in letters
        if topic in ("", letter.place.topic) and reason.upper() in ("", letter.reason.upper())
    ]


def the_one(letters: Sequence[Letter], place: str) -> Letter:
    """Return the letter about the record at a place.

    Raises:
        InvalidRequest: The place is not written as one.
        NotFound: No such letter.
    """
    parsed = parse_place(place)
    for letter in letters:
        if letter.place == parsed:
            return letter
    raise NotFound(f"no dead letter about {parsed}")


def wanted(letters: Sequence[Letter], place: str, all_of: str) -> list[Letter]:
    """Return the letter at a place, or all of `TOPIC/REASON`.

    Raises:
        InvalidRequest: Neither is written as one.
        NotFound: There are none.
    """
    if place:
        return [the_one(letters, place)]
    topic, slash, reason = all_of.partition("/")
    if not (topic and slash and reason):
        rule = "must be TOPIC/REASON, such as organic/POISON"
        raise InvalidRequest(f"--all-of {rule}", violations=[FieldViolation("--all-of", "pair", rule)])
    found = chosen(letters, topic, reason)
    if not found:
        raise NotFound(f"no dead letters of {all_of}")
    return found


async def _read(run: RunFile, since_wall_ms: int | None = None) -> list[Letter]:
    async with _log(run, "cli") as log:
        return await read_letters(log, since_wall_ms)


def _log(run: RunFile, producer: str) -> AbstractAsyncContextManager[EventLog]:
    return KafkaEventLog.open(run.addresses["kafka"], producer=producer)


def _failed(fault: Fault) -> typer.Exit:
    err.print(str(fault), highlight=False, markup=False)
    return typer.Exit(REFUSED)
