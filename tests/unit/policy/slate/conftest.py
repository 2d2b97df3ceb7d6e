from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from loopwright.bundle import PolicyBundle, default_bundle, with_values
from loopwright.domain.enums import Exploration
from loopwright.pipeline.types import SlateQuery

DIMENSIONS = 16


def bundle_of(
    *,
    rho: float = 0.0,
    slot: int = 5,
    creator_cap: int = 0,
    topic_cap: int = 0,
    mmr_lambda: float = 1.0,
    weights: Mapping[str, float] | None = None,
) -> PolicyBundle:
    return with_values(
        default_bundle(),
        {
            "exploration.slice_rate": rho,
            "exploration.explore_position": slot,
            "constraints.creator_cap": creator_cap,
            "constraints.topic_cap": topic_cap,
            "diversity.mmr_lambda": mmr_lambda,
            "objective.weights": dict(weights or {"engage": 1.0, "satisfied": 0.5}),
        },
    )


def query_of(
    utilities: Sequence[float],
    *,
    k: int = 10,
    seed: int = 1,
    exploration: Exploration = Exploration.BUNDLE,
    ids: Sequence[int] | None = None,
    creators: Sequence[int] | None = None,
    tags: Sequence[int] | None = None,
    guards: Sequence[int] | None = None,
    eligibility: Sequence[int] | None = None,
    content: Any = None,
) -> SlateQuery:
    """Candidates with item ids 1, 2, 3... in falling order of utility when `utilities` falls."""
    n = len(utilities)
    engage = np.array(utilities, dtype=np.float32)
    return SlateQuery(
        policy_version="0" * 64,
        k=k,
        seed=seed,
        exploration=exploration,
        item_ids=np.array(ids if ids is not None else range(1, n + 1), dtype=np.uint64),
        heads=np.stack([engage, np.zeros(n, dtype=np.float32)], axis=1),
        head_names=("engage", "satisfied"),
        creator_ids=np.array(creators if creators is not None else [0] * n, dtype=np.uint64),
        first_tag_ids=np.array(tags if tags is not None else [0] * n, dtype=np.uint64),
        eligibility=np.array(eligibility if eligibility is not None else [0] * n, dtype=np.uint8),
        guards=np.array(guards if guards is not None else [0] * n, dtype=np.uint8),
        content=np.zeros((n, DIMENSIONS), dtype=np.float16) if content is None else np.array(content, dtype=np.float16),
    )


def falling(n: int) -> list[float]:
    return [1.0 - i / 1000 for i in range(n)]


def random_query(seed: int, n: int, k: int) -> SlateQuery:
    """A context like a real one: few creators and topics so that caps bite, some candidates barred, unit vectors."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(n, DIMENSIONS))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return query_of(
        [float(value) for value in rng.random(n)],
        k=k,
        seed=seed,
        ids=[int(value) for value in rng.choice(10**6, n, replace=False) + 1],
        creators=[int(value) for value in rng.integers(0, 12, n)],
        tags=[int(value) for value in rng.integers(0, 5, n)],
        guards=[int(value) for value in rng.choice([0, 0, 0, 0, 0, 0, 0, 0, 0, 1], n)],
        content=vectors,
    )
