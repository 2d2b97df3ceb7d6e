"""The request path as a list of stages: what each takes and gives, the runner, and the record of a run."""
