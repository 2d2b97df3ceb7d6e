"""Trainer: a job that replays the log, learns the three models, exports and judges them, and may promote them."""
