from collections.abc import Sequence

import numpy as np
import pytest

from loopwright.bundle import default_bundle
from loopwright.domain.enums import Exploration, Purpose, Scheme
from loopwright.domain.ids import item_id
from loopwright.pipeline.answer import Answer, RecommendedItem
from loopwright.pipeline.plan import Plan
from loopwright.pipeline.types import Request, Versions
from loopwright.recommender.effects import RememberRecent
from loopwright.rpc import Deadline

NONE = np.zeros(0, np.uint64)


class FakeRecent:
    def __init__(self) -> None:
        self.told: list[tuple[bytes, list[int]]] = []

    async def remember(self, subject: bytes, item_ids: Sequence[int], purpose: Purpose, deadline: Deadline) -> None:
        self.told.append((subject, list(item_ids)))


@pytest.mark.parametrize("purpose", list(Purpose))
async def test_only_what_a_person_will_see_is_remembered(purpose: Purpose) -> None:
    request = Request(
        "r", b"s" * 16, "u", "", "home", "", 0, 2, NONE, NONE, "", "", purpose, Exploration.BUNDLE, None, False, b""
    )
    items = tuple(RecommendedItem(name, 1, (), 1.0, 1.0, Scheme.RANKED) for name in ("a", "b"))
    recent = FakeRecent()
    plan = Plan("v", default_bundle(), request, 0, 1, 1.0)
    answer = Answer(bytes(16), Versions("v"), "", items, (), 0)
    await RememberRecent(recent).apply(plan, answer, Deadline.after(1))
    served = [(b"s" * 16, [item_id("a"), item_id("b")])]
    assert recent.told == (served if purpose is Purpose.SERVE else [])
