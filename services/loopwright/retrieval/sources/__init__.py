"""Candidate sources: every planned member of `domain.enums.Source` has the file of its name here, and one test."""

from loopwright.domain.enums import PLANNED_SOURCES
from loopwright.retrieval.sources.registry import source_of
from loopwright.retrieval.sources.source import CandidateSource

SOURCES: tuple[CandidateSource, ...] = tuple(source_of(source) for source in PLANNED_SOURCES)

__all__ = ["SOURCES", "CandidateSource"]
