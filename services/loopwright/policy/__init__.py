"""Policy: turns scored candidates into slates with propensities, and is the only writer of policy bundles."""
