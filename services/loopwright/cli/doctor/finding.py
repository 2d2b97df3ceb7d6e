"""What a check found: one line of `doctor`'s table."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How a thing stands."""

    OK = "ok"
    NOTE = "note"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's result; `mend` says what to do when it is not ok."""

    check: str
    state: State
    found: str
    mend: str = ""
