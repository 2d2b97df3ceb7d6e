"""RESULTS.md: one file, one section a benchmark; writing a section leaves the others as they are."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.harness.machine import load, machine

RESULTS = Path(__file__).parents[1] / "RESULTS.md"
SECTIONS = ("serving", "hop", "append", "rates")
"""Benchmarks, in the order in which they run and stand in the file; each is a package `benchmarks.<name>`."""

HEAD = """# What the mesh costs

Written by `make bench`, section by section; a figure is never judged by a test. Arms of one table ran interleaved,
round by round, on one machine; every cell is the median over rounds of the rounds' own p50 or p99, every ratio the
median over rounds of the rounds' own ratios. Milliseconds depend on the machine and on what else runs there, ratios
much less: compare ratios. *asked* is the project's own target for a ratio; this run may have missed it.
"""
_SECTION = re.compile(r"<!-- section (\w+) -->\n(.*?)\n<!-- end \1 -->", re.DOTALL)


def write_section(name: str, title: str, text: str, *, seeds: str, load_before: str, path: Path = RESULTS) -> str:
    """Put a benchmark's section into RESULTS.md in place of its former one and return it.

    Args:
        name: One of `SECTIONS`.
        title: Heading.
        text: Markdown of the section, without heading.
        seeds: The seeds of the data, in words.
        load_before: `machine.load()` from before the measurement; the one from after it is taken here.
        path: The file.

    Raises:
        ValueError: `name` is no section.
    """
    if name not in SECTIONS:
        raise ValueError(f"{name} is not one of {', '.join(SECTIONS)}")
    day = datetime.now(UTC).date().isoformat()
    told = f"Measured {day}. {machine()}. Load average {load_before} before, {load()} after. Seeds: {seeds}."
    section = f"## {title}\n\n{told}\n\n{text.strip()}"
    known: dict[str, str] = dict(_SECTION.findall(path.read_text("utf-8"))) if path.exists() else {}
    known[name] = section
    parts = [f"<!-- section {one} -->\n{known[one]}\n<!-- end {one} -->" for one in SECTIONS if one in known]
    partial = path.with_suffix(f".{os.getpid()}")
    partial.write_text("\n\n".join([HEAD.strip(), *parts]) + "\n", "utf-8")
    os.replace(partial, path)
    return section
