"""Retrieval's messages to and from the stage's types; the pipeline owns the mapping, client and servicer share it."""

from loopwright.pipeline.convert.candidates import candidate_set_to_proto as response_to_proto
from loopwright.pipeline.convert.candidates import retrieval_query_from_proto as query_from_proto

__all__ = ["query_from_proto", "response_to_proto"]
