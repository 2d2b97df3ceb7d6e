"""The folds: what reads a decoded `Event`, takes what it says, and keeps nothing of the message itself."""
