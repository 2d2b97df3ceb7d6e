"""Tests of the benchmarks' harness and world; no figure is judged."""
