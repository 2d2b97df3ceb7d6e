"""Yardsticks computed from the training rows: popularity, item-to-item cosine, EASE (Steck 2019)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.split import Split

LENGTH = 20
NEIGHBOURS = 200
RIDGE = 200.0  # chosen on validation, as the neighbours

Lists = dict[str, list[str]]


def baselines(data: Split) -> dict[str, Lists]:
    """Return the lists of each yardstick for every judged user; all rated items count alike, seen ones are left out."""
    users = {user: row for row, user in enumerate(sorted(data.train))}
    items = sorted(data.known)
    column = {item: place for place, item in enumerate(items)}
    x = np.zeros((len(users), len(items)), np.float32)
    for user, rows in data.train.items():
        for row in rows:
            x[users[user], column[row.item]] = 1.0
    scores = {"popularity": np.tile(x.sum(axis=0), (len(x), 1)), "ItemKNN": _item_knn(x), "EASE": _ease(x)}
    judged = [users[user] for user in data.users]
    return {name: _lists(found[judged], x[judged] > 0, items, data.users) for name, found in scores.items()}


def _item_knn(x: NDArray[np.float32]) -> NDArray[np.float32]:
    together = x.T @ x
    norm = np.sqrt(np.diag(together))
    cosine = together / (np.outer(norm, norm) + 1e-9)
    np.fill_diagonal(cosine, 0)
    least = np.partition(cosine, -NEIGHBOURS, axis=1)[:, -NEIGHBOURS][:, None]
    return x @ np.where(cosine >= least, cosine, 0).T


def _ease(x: NDArray[np.float32]) -> NDArray[np.float64]:
    inverse = np.linalg.inv((x.T @ x).astype(np.float64) + RIDGE * np.eye(x.shape[1]))
    weights = -inverse / np.diag(inverse)[None]
    np.fill_diagonal(weights, 0)
    return x @ weights


def _lists(scores: np.ndarray, seen: np.ndarray, items: list[str], users: list[str]) -> Lists:
    order = np.argsort(-np.where(seen, -np.inf, scores), axis=1, kind="stable")[:, :LENGTH]
    return {user: [items[place] for place in row] for user, row in zip(users, order, strict=True)}
