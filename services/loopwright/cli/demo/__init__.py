"""`loopwright demo`: the whole loop on one machine, as a list of steps."""
