"""The `loopwright` command: one machine's mesh, imports, training, replay and explanations."""
