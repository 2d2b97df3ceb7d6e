"""Events of the log in, columns of facts out: the only modules of the trainer that see a decoded `Event`."""
