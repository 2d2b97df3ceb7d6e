"""One hop of ours beside a bare gRPC echo of the same bytes."""
