"""Ranking: pre-rank scores for every candidate and head scores for the best N, a pure function of the request."""
