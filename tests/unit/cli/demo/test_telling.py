from dataclasses import replace

from rich.console import Console

from loopwright.cli.clients import Explained
from loopwright.cli.demo.telling import SHOWN, told_decision
from loopwright.localmesh.verify import Link, Proof


def said(explained: Explained, proof: Proof) -> str:
    console = Console(width=200)
    titles = {name: f"The film {name}" for name in explained.item_ids}
    with console.capture() as captured:
        for line in told_decision(explained, proof, titles):
            console.print(line)
    return captured.get()


def test_a_decision_is_told_from_its_sources_to_its_proof(explained: Explained) -> None:
    text = said(explained, Proof(bytes(16), True, (Link("heads", True), Link("slate", True))))
    for wanted in (
        explained.record.decision_id.hex(), "two_tower", "CUT", "The film item-", "engage", "p_shown",
        "heads, slate",
    ):  # fmt: skip
        assert wanted in text, wanted
    assert text.count("The film") == SHOWN


def test_a_broken_link_stands_out(explained: Explained) -> None:
    assert "heads BROKEN (off by one)" in said(explained, Proof(bytes(16), True, (Link("heads", False, "off by one"),)))


def test_a_decision_without_a_slate_is_told_too(explained: Explained) -> None:
    empty = replace(explained, record=replace(explained.record, slate=()))
    assert "proof: seed" in said(empty, Proof(bytes(16), True, (Link("seed", True),)))
