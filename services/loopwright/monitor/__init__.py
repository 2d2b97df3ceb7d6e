"""The health of the loop as figures: consumers' lag, impression accounting, exposure shares, degradations."""
