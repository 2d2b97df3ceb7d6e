"""The front door: one request in, one slate out whose record is durable; scores and reorders nothing itself."""
