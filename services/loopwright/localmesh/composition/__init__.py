"""Every service's domain objects in one process: the same decisions without gRPC, Kafka or Redis."""

from loopwright.localmesh.composition.one_process import OneProcess, one_process

__all__ = ["OneProcess", "one_process"]
