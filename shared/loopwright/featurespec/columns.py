"""The one door to all columns: hydration, the mirror and the trainer import from here."""

from loopwright.featurespec.cross_columns import candidate_columns, cross_columns, cross_context, empty_context
from loopwright.featurespec.finish import NO_AGE, ColumnBlock
from loopwright.featurespec.item_columns import item_columns
from loopwright.featurespec.profile import Profile, profile_of
from loopwright.featurespec.user_columns import user_columns

__all__ = [
    "NO_AGE",
    "ColumnBlock",
    "Profile",
    "candidate_columns",
    "cross_columns",
    "cross_context",
    "empty_context",
    "item_columns",
    "profile_of",
    "user_columns",
]
