"""Our sources as parsed modules, for the tests of this folder: where each lies and what it imports."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

SERVICES = (
    "recommender", "retrieval", "hydration", "ranking", "policy", "exposure", "ingest", "projector", "trainer",
    "monitor", "simulator", "cli", "localmesh",
)  # fmt: skip
SHARED = (
    "api", "domain", "faults", "featurespec", "telemetry", "eventlog", "modelstore", "bundle", "rpc", "mirror",
    "pipeline", "lifecycle", "store",
)  # fmt: skip


@dataclass(frozen=True)
class Module:
    """One source file."""

    path: Path
    name: str  # dotted, e.g. `loopwright.retrieval.servicer`
    tree: ast.Module
    lines: int

    @property
    def parts(self) -> list[str]:
        """The dotted name split, without `loopwright`."""
        return self.name.split(".")[1:]

    @property
    def room(self) -> str:
        """The service or shared package the module belongs to."""
        return self.parts[0]

    @property
    def stem(self) -> str:
        """The module's own name; a package's is its folder's."""
        return self.path.parent.name if self.path.stem == "__init__" else self.path.stem

    def imports(self) -> Iterator[str]:
        """Yield the dotted name of everything imported, anywhere in the file; `from a import b` yields `a.b`."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                package = self.name if self.path.stem == "__init__" else self.name.rpartition(".")[0]
                base = package.rsplit(".", node.level - 1)[0] if node.level else ""
                prefix = ".".join(part for part in (base, node.module or "") if part)
                yield from (f"{prefix}.{alias.name}" for alias in node.names)

    def names(self) -> Iterator[tuple[str, int]]:
        """Yield every dotted name that is read, resolved through the module's imports, with its line."""
        known = self._aliases()
        for node in ast.walk(self.tree):
            dotted = _dotted(node)
            if dotted:
                first, _, rest = dotted.partition(".")
                if first in known:
                    yield ".".join(part for part in (known[first], rest) if part), node.lineno  # type: ignore[attr-defined]

    def _aliases(self) -> dict[str, str]:
        known: dict[str, str] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    first = alias.name.partition(".")[0]
                    known[alias.asname or first] = alias.name if alias.asname else first
            elif isinstance(node, ast.ImportFrom) and not node.level:
                known.update({alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names})
        return known


def _dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        base = _dotted(node.value)
        return f"{base}.{node.attr}" if base else ""
    return ""


def parsed(path: Path, name: str, text: str) -> Module:
    """Return a module of the given text."""
    return Module(path, name, ast.parse(text, str(path)), text.count("\n"))


@cache
def modules() -> tuple[Module, ...]:
    """Return every module below `services/` and `shared/`, generated code excepted."""
    found = []
    for portion in ("services", "shared"):
        for path in sorted((ROOT / portion).rglob("*.py")):
            relative = path.relative_to(ROOT / portion).with_suffix("")
            parts = [part for part in relative.parts if part != "__init__"]
            if parts[1:2] != ["api"]:
                found.append(parsed(path, ".".join(parts), path.read_text("utf-8")))
    return tuple(found)


def in_room(imported: str) -> str:
    """Return the room an imported name lies in, empty for what is not ours."""
    parts = imported.split(".")
    return parts[1] if parts[0] == "loopwright" and len(parts) > 1 else ""
