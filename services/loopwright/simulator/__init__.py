"""A world with known truth that visits the mesh through its public API only."""
