"""Documents say where things are: every relative link leads to something."""

import re
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "deploy/**/*.md", "benchmarks/**/*.md", "services/loopwright/*/README.md")
    for path in ROOT.glob(pattern)
)


def dead_links(document: Path, text: str) -> list[str]:
    """Return the links of a Markdown text that lead nowhere; addresses and anchors within it are left out."""
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", prose)
    return [link for link in targets if "://" not in link and not (document.parent / link).exists()]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_of_a_document_leads_somewhere(document: Path) -> None:
    assert dead_links(document, document.read_text("utf-8")) == []


def test_a_link_that_leads_nowhere_is_seen() -> None:
    text = "[a](README.md) [b](nowhere.md#part) [c](https://example.org/x) [d](#part)"
    assert dead_links(ROOT / "X.md", text) == ["nowhere.md"]
