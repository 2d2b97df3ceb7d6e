"""`loopwright doctor`: the commonest faults of a set-up, each with its mend."""
