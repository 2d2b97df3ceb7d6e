"""`loopwright dlq`: what the projector has set aside, why, and the way back to its source topic."""
