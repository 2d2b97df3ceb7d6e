"""What every benchmark shares: interleaved rounds, medians, tables, the machine's description, RESULTS.md."""
