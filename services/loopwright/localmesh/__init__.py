"""One machine: a real Kafka, a Redis-compatible server and every service as a process."""
