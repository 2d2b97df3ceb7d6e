"""How unevenly exposures fall on a population: Gini coefficient, share of the top 1 %, coverage."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

TOP = 0.01


@dataclass(frozen=True, slots=True)
class Concentration:
    """Figures over the whole population, what was never shown included.

    Attributes:
        shown: Members with at least one exposure.
        population: Members that are listed now or were shown, so what was shown is part of it.
        gini: 0 = all alike, towards 1 = all on one.
        top_share: Share of the exposures that goes to the top 1 % of the population, at least one member.
    """

    shown: int
    population: int
    gini: float
    top_share: float

    @property
    def coverage(self) -> float:
        """Share of the population with at least one exposure."""
        return self.shown / self.population if self.population else 0.0


def concentration(counts: Collection[int], population: int) -> Concentration:
    """Return the figures of positive exposure counts.

    The Gini coefficient is 2 Σ i·x_i / (n Σ x) - (n + 1) / n over ascending x (Dixon et al. 1987, equation 2, without
    their small-sample factor); members without exposure are the smallest x.
    """
    x = np.sort(np.fromiter(counts, dtype=np.float64, count=len(counts)))
    n, total = max(population, len(x)), float(x.sum())
    if total == 0:
        return Concentration(0, n, 0.0, 0.0)
    ranks = np.arange(n - len(x) + 1, n + 1, dtype=np.float64)
    gini = 2.0 * float(ranks @ x) / (n * total) - (n + 1) / n
    top = max(1, int(np.ceil(TOP * n)))
    return Concentration(len(x), n, max(0.0, gini), float(x[-top:].sum()) / total)
