"""`Recommend` end to end beside its bare parts: the running mesh, and the same services composed in one process."""
