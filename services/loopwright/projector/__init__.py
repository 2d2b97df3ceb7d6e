"""The projector folds the log into user rows, item facts and item rows."""
