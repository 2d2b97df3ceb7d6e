"""Gates: what exported models must pass before they may serve."""
