"""Exposure: the only writer of decisions, funnels, impressions and actions; tokens, idempotency and the outbox."""
