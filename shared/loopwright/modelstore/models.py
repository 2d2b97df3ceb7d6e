"""The verified models that serving, gates and verification run, by one import."""

from loopwright.modelstore.contents import Contents, contents_hash, index_epoch
from loopwright.modelstore.golden import GOLDEN_NAME, GoldenCase, golden_bytes
from loopwright.modelstore.rankers import (
    PRE_RANKER,
    RANKER,
    MultiTaskRanker,
    PreRanker,
    open_pre_ranker,
    open_ranker,
)
from loopwright.modelstore.towers import (
    ITEM_TOWER,
    USER_TOWER,
    VOCABULARY,
    TwoTower,
    open_two_tower,
    vocabulary_bytes,
)

__all__ = [
    "GOLDEN_NAME",
    "ITEM_TOWER",
    "PRE_RANKER",
    "RANKER",
    "USER_TOWER",
    "VOCABULARY",
    "Contents",
    "GoldenCase",
    "MultiTaskRanker",
    "PreRanker",
    "TwoTower",
    "contents_hash",
    "golden_bytes",
    "index_epoch",
    "open_pre_ranker",
    "open_ranker",
    "open_two_tower",
    "vocabulary_bytes",
]
