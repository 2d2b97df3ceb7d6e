"""Evidence in, examples out: states, candidates, signals and columns, computed as the request path computes them."""
