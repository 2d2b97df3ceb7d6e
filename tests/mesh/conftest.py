"""A mesh in one process, with items and users, on a clock that stands."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from loopwright.lifecycle import FixedClock
from loopwright.localmesh.composition import OneProcess
from tests.mesh.world import NOW_MS, populated


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW_MS)


@pytest.fixture
async def mesh(tmp_path: Path, clock: FixedClock) -> AsyncIterator[OneProcess]:
    async with populated(tmp_path, clock) as made:
        yield made
