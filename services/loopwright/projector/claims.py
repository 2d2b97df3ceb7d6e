"""What each stage may say of its progress: stage 2 folds what stage 1 derives, so it can never have come further."""

from __future__ import annotations

from loopwright.featurespec.groups import STAGE_ITEMS, STAGE_USERS

_ABOVE = {STAGE_ITEMS: STAGE_USERS}


class Claims:
    """The progress of the stages, in wall milliseconds; one for all stages of a process.

    Having read all of `item_facts` says little of item rows while stage 1 still derives an hour of them.
    """

    def __init__(self) -> None:
        """Start with nothing claimed."""
        self._claimed: dict[str, tuple[int, int]] = {}
        self._heard: dict[str, tuple[int, int]] = {}

    def begin(self, stage: str) -> None:
        """Take back what a stage has claimed: it begins at its marks."""
        self._claimed.pop(stage, None)
        self._heard.pop(stage, None)

    def claim(self, stage: str, caught_up_ms: int, now_ms: int) -> int | None:
        """Return up to when everything is folded by a stage and the one above it; None while that is unknown.

        Args:
            stage: The stage, which has folded all that it has read.
            caught_up_ms: When it last found nothing more to read.
            now_ms: Now.
        """
        if stage not in _ABOVE:
            self._claimed[stage] = (caught_up_ms, now_ms)
            return caught_up_ms
        heard = self._heard.get(stage)
        if heard is not None and caught_up_ms < heard[1]:
            return None
        # What stage 1 claimed then was on the log before this stage found nothing more to read.
        newest = self._claimed.get(_ABOVE[stage])
        if newest is not None:
            self._heard[stage] = newest
        return None if heard is None else heard[0]
