"""Quality of every source and stage through the running mesh, on the per-user temporal split of MovieLens-100k."""
