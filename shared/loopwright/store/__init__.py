"""The Redis-compatible store as services meet it: one way to connect, one naming of keys; rows are projections."""
