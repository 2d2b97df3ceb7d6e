"""Names of the keys in the Redis-compatible store; writers and readers of a row call the same function.

The part in braces is the hash tag: all keys of one logical partition lie in one slot of a cluster.
"""

from __future__ import annotations

from loopwright.domain.ids import item_key, logical_partition


def user_row(subject: bytes, namespace: str = "") -> str:
    """Return the key of a user's row: a hash from state group to state."""
    return f"{namespace}user:{{{logical_partition(subject)}}}:{subject.hex()}"


def item_row(item: int, namespace: str = "") -> str:
    """Return the key of an item's row: a hash from state group to state."""
    return f"{namespace}item:{{{logical_partition(item_key(item))}}}:{item}"


def recent(subject: bytes, namespace: str = "") -> str:
    """Return the key of what a user was served lately: a sorted set of decimal item ids by wall milliseconds."""
    return f"{namespace}recent:{{{logical_partition(subject)}}}:{subject.hex()}"


def stored_answer(subject: bytes, request_id: str, namespace: str = "") -> str:
    """Return the key of the answer that a request id was given."""
    return f"{namespace}req:{{{logical_partition(subject)}}}:{subject.hex()}:{request_id}"


def progress(stage: str, namespace: str = "") -> str:
    """Return the key of a projector stage's progress: decimal wall milliseconds when it had last caught up."""
    return f"{namespace}progress:{stage}"


RECENT_MS = 600_000
"""How long a served item guards against being served again."""
