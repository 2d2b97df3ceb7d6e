"""Everything random in a decision, derived from its one seed by hashing, so that any build re-derives it.

Library generators may change their streams between versions; a record must replay for years.
"""

from __future__ import annotations

import xxhash

_U64 = 1 << 64


def draw_u64(seed: int, label: str, index: int = 0) -> int:
    """Return draw number `index` of the stream `label` under `seed`: a uint64."""
    payload = seed.to_bytes(8, "little") + index.to_bytes(8, "little") + label.encode()
    return xxhash.xxh3_64_intdigest(payload)


def unit(seed: int, label: str) -> float:
    """Return a uniform number in [0, 1) with 53 random bits."""
    return (draw_u64(seed, label) >> 11) / (1 << 53)


def below(seed: int, label: str, bound: int, start: int = 0) -> int:
    """Return an unbiased uniform integer in [0, bound), by rejection.

    Args:
        seed: Seed of the decision.
        label: Name of the stream.
        bound: Exclusive upper bound, at least 1.
        start: Index of the first draw; callers that draw often keep them 2**32 apart.

    Raises:
        ValueError: `bound` is below 1.
    """
    if bound < 1:
        raise ValueError("bound must be at least 1")
    limit = _U64 - _U64 % bound
    index = start
    while True:
        value = draw_u64(seed, label, index)
        if value < limit:
            return value % bound
        index += 1


def sample_without_replacement(seed: int, label: str, n: int, k: int) -> list[int]:
    """Return min(k, n) distinct integers of [0, n), every ordered choice equally likely (Fisher-Yates)."""
    pool = list(range(n))
    for i in range(min(k, n)):
        j = i + below(seed, label, n - i, start=i << 32)
        pool[i], pool[j] = pool[j], pool[i]
    return pool[: min(k, n)]
