"""Generated from protos/ by scripts/generate_protos.py: package `loopwright.api.policy.v1`."""
