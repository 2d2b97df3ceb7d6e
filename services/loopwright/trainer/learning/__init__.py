"""Training in torch: arrays in, plain float32 weights out; deterministic on one thread."""
