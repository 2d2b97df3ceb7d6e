"""A fault lab over the real local mesh: load, faults and a checker that reads the history and the whole log."""
