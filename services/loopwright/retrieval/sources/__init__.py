"""Candidate sources: one file, one line in `SOURCES` and one test each."""

from loopwright.retrieval.sources.co_visitation import CoVisitation
from loopwright.retrieval.sources.fresh import Fresh
from loopwright.retrieval.sources.popularity import Popularity
from loopwright.retrieval.sources.source import CandidateSource
from loopwright.retrieval.sources.trending import Trending
from loopwright.retrieval.sources.two_tower import TwoTowerNeighbours

SOURCES: tuple[CandidateSource, ...] = (
    TwoTowerNeighbours(),
    CoVisitation(),
    Trending(),
    Fresh(),
    Popularity(),
)

__all__ = ["SOURCES", "CandidateSource"]
