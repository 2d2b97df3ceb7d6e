"""All tests: unit (mirrors the tree), contract, replay, mesh, integration, closed loop, architecture, faults."""
