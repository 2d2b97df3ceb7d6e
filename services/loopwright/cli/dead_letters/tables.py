"""Dead letters as tables for people and as JSON for scripts; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from google.protobuf.json_format import MessageToDict
from rich.table import Table

from loopwright.cli.dead_letters.letters import Letter, event_of, flaw_now
from loopwright.cli.dead_letters.returning import Plan, Returned
from loopwright.eventlog import payload_name

_ROW = 16


def time_text(ms: int) -> str:
    """Return milliseconds as an ISO 8601 time, or the number where a calendar has no such day."""
    try:
        return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")
    except (ValueError, OverflowError, OSError):
        return f"{ms} ms"


def counts_of(letters: Sequence[Letter]) -> list[dict[str, Any]]:
    """Return one entry a source topic and reason: how many, and how many this build could use."""
    whole = Counter((letter.place.topic, letter.reason) for letter in letters)
    usable = Counter((letter.place.topic, letter.reason) for letter in letters if not flaw_now(letter))
    return [
        {"topic": topic, "reason": reason, "letters": whole[topic, reason], "usable_now": usable[topic, reason]}
        for topic, reason in sorted(whole)
    ]


def list_document(letters: Sequence[Letter], limit: int) -> dict[str, Any]:
    """Return counts and the newest letters as one JSON object."""
    return {"counts": counts_of(letters), "letters": [row_document(letter) for letter in letters[:limit]]}


def row_document(letter: Letter) -> dict[str, Any]:
    """Return a letter without its content."""
    return {
        "place": str(letter.place),
        "reason": letter.reason,
        "detail": letter.detail,
        "key": letter.key.hex(),
        "trace_id": letter.trace_id,
        "bytes": len(letter.value),
        "set_aside_at": time_text(letter.set_aside_at_ms),
        "logged_at": time_text(letter.logged_at_ms),
        "copies": letter.copies,
        "flaw_now": flaw_now(letter),
    }


def letter_document(letter: Letter) -> dict[str, Any]:
    """Return a letter with its event, or with its bytes as hex where they do not decode."""
    event = event_of(letter)
    if event is None:
        return {**row_document(letter), "event": None, "value": letter.value.hex()}
    return {**row_document(letter), "event": MessageToDict(event, preserving_proto_field_name=True)}


def list_tables(letters: Sequence[Letter], limit: int) -> Iterator[Table]:
    """Yield the counts and the newest letters."""
    counts = Table("topic", "reason", "letters", "usable now", title="dead letters", title_justify="left")
    for entry in counts_of(letters):
        counts.add_row(entry["topic"], entry["reason"], str(entry["letters"]), str(entry["usable_now"]))
    yield counts
    title = f"the newest {min(limit, len(letters))} of {len(letters)}"
    rows = Table("place", "reason", "detail", "logged at", "now", title=title, title_justify="left")
    for letter in letters[:limit]:
        now = flaw_now(letter) or "usable"
        rows.add_row(str(letter.place), letter.reason, letter.detail, time_text(letter.logged_at_ms), now)
    yield rows


def letter_table(letter: Letter) -> Table:
    """Return what is known of a letter beside its content."""
    event = event_of(letter)
    table = Table("what", "value", title=str(letter.place), title_justify="left")
    table.add_row("reason", letter.reason + (f": {letter.detail}" if letter.detail else ""))
    table.add_row("now", flaw_now(letter) or "usable")
    table.add_row("key", letter.key.hex())
    table.add_row("trace id", letter.trace_id or "-")
    table.add_row("payload", (payload_name(event) if event else "") or "-")
    table.add_row("set aside at", f"{time_text(letter.set_aside_at_ms)} (mesh time)")
    table.add_row("logged at", f"{time_text(letter.logged_at_ms)} (wall time)")
    table.add_row("bytes", str(len(letter.value)))
    table.add_row("copies", str(letter.copies))
    return table


def hex_dump(value: bytes) -> str:
    """Return bytes as lines of offset, 16 hex pairs and their ASCII."""
    lines = []
    for first in range(0, len(value), _ROW):
        row = value[first : first + _ROW]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        lines.append(f"{first:06x}  {row.hex(' '):<{3 * _ROW - 1}}  {text}")
    return "\n".join(lines)


def replay_document(plan: Plan, returned: Sequence[Returned], *, acted: bool) -> dict[str, Any]:
    """Return what went back, or would, as one JSON object."""
    places = {sent.letter.place: str(sent.now) for sent in returned}
    return {
        "acted": acted,
        "letters": [{"place": str(letter.place), "now": places.get(letter.place)} for letter in plan.usable],
        "refused": [{"place": str(letter.place), "flaw": flaw} for letter, flaw in plan.refused],
    }


def replay_table(plan: Plan, returned: Sequence[Returned], *, acted: bool) -> Table:
    """Return what went back, or would, as a table."""
    places = {sent.letter.place: str(sent.now) for sent in returned}
    title = f"{len(returned)} sent back" if acted else f"{len(plan.usable)} would go back: say --yes to send them"
    table = Table("place", "reason", "becomes", title=title, title_justify="left")
    for letter in plan.usable:
        missing = "not sent" if acted else "the next offset of its key"
        table.add_row(str(letter.place), letter.reason, places.get(letter.place, missing))
    for letter, flaw in plan.refused:
        table.add_row(str(letter.place), letter.reason, f"refused: {flaw}")
    return table
