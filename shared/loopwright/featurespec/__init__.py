"""Features as pure folds over events: groups, versions, columns and what else every room must compute alike."""
