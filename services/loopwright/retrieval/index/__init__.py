"""The two-tower index: an immutable HNSW graph, an exact side buffer, and what keeps both current."""
