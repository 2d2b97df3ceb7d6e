"""How far an import got, so that an interrupted one goes on where it was; one small file per import below DIR."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ImportState:
    """Rows acknowledged so far; `complete` when the clock is set and everything is folded."""

    items: int = 0
    interactions: int = 0
    complete: bool = False


class StateFile:
    """The state of one import, named by a hash over its files and options."""

    def __init__(self, data_dir: Path, *parts: object, files: tuple[Path, ...]) -> None:
        """Take the data folder, the options, and the files whose bytes are part of the identity."""
        digest = hashlib.sha256(repr(parts).encode())
        for path in files:
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        self._path = data_dir / "imports" / f"{digest.hexdigest()[:24]}.json"
        self.state = ImportState()
        if self._path.exists():
            self.state = ImportState(**json.loads(self._path.read_text("utf-8")))

    def advance(self, **changes: int | bool) -> None:
        """Replace fields of the state, in one step on disk."""
        self.state = replace(self.state, **changes)  # type: ignore[arg-type]
        self._path.parent.mkdir(parents=True, exist_ok=True)
        partial = self._path.with_suffix(f".{os.getpid()}")
        partial.write_text(json.dumps(asdict(self.state)), "utf-8")
        os.replace(partial, self._path)
