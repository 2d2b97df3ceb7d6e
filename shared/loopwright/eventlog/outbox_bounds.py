"""How much the outbox takes and what it refuses first: `Worth` of a record, `OutboxSettings`, `refusal`.

Nothing that was taken is ever dropped; the bounds decide about new records only.
"""

from __future__ import annotations

from enum import IntEnum

from pydantic import BaseModel, ConfigDict, Field


class Worth(IntEnum):
    """What a record is worth when room runs out: the lower ones are refused first."""

    OPTIONAL = 1
    """Nobody was shown it: full funnels, decisions for judging, shadowing and simulation."""
    SLATE = 2
    """About to be shown; without its record there is no slate, and the caller may come again."""
    EVIDENCE = 3
    """Of what was shown already: impressions and actions cannot be had again."""


class OutboxSettings(BaseModel):
    """Bounds and waits of the outbox."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_bytes: int = Field(
        default=256 * 1024 * 1024,
        gt=0,
        description="Most bytes on disk, or what the disk has left if that is less; beyond: OUTBOX_FULL.",
    )
    optional_share: float = Field(
        default=0.7,
        gt=0,
        le=1,
        description="Share of the bytes beyond which full funnels and decisions that nobody sees are refused.",
    )
    slate_share: float = Field(
        default=0.9,
        gt=0,
        le=1,
        description="Share of the bytes beyond which slates are refused; impressions and actions are taken to the end.",
    )
    max_age_s: float = Field(
        default=6 * 3600.0,
        gt=0,
        lt=24 * 3600.0,
        description="Age of the oldest waiting record beyond which all new ones are refused; under the dedup window.",
    )
    segment_bytes: int = Field(
        default=16 * 1024 * 1024,
        gt=0,
        description="Size at which a file is ended and the next begun; a file goes when all its records are sent.",
    )
    commit_interval_s: float = Field(
        default=0.003, ge=0, description="Wait for more records before they are made durable together."
    )

    def share(self, worth: Worth) -> float:
        """Return the share of the bytes up to which records of this worth are taken."""
        return {Worth.OPTIONAL: self.optional_share, Worth.SLATE: self.slate_share}.get(worth, 1.0)


def refusal(settings: OutboxSettings, worth: Worth, *, after_bytes: int, free_bytes: int, age_s: float) -> str:
    """Return why a new record is refused: "age", "size" or "disk"; empty when it is taken.

    Args:
        settings: The bounds.
        worth: What the record is worth.
        after_bytes: Bytes on disk once it is taken.
        free_bytes: Bytes that the disk would then have left; negative when it does not fit.
        age_s: Age of the oldest waiting record.
    """
    if age_s > settings.max_age_s:
        return "age"
    share = settings.share(worth)
    if after_bytes > settings.max_bytes * share:
        return "size"
    if free_bytes < 0 or after_bytes > (after_bytes + free_bytes) * share:
        return "disk"
    return ""
