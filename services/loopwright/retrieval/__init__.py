"""Retrieval: candidate sources asked in parallel, merged with every source that credits a candidate kept."""
