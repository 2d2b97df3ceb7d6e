"""Ranking's messages to and from the stage's types; the pipeline owns the mapping, client and servicer share it."""

from loopwright.pipeline.convert.scores import score_query_from_proto as query_from_proto
from loopwright.pipeline.convert.scores import scores_to_proto as response_to_proto

__all__ = ["query_from_proto", "response_to_proto"]
