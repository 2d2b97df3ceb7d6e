"""The sections of a policy bundle, one frozen model each, with the bounds of every number in one place.

`model.py` puts them together; the recommender, the leaves and policy read their fields.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from loopwright.bundle.frozen_map import FrozenMap
from loopwright.domain.enums import PLANNED_SOURCES, Source
from loopwright.pipeline.types import SourcePlan

_SOURCE_NAMES = tuple(source.name.lower() for source in PLANNED_SOURCES)


def _planned(name: str) -> str:
    if name not in _SOURCE_NAMES:
        raise PydanticCustomError("unknown_source", "must be one of {known}", {"known": ", ".join(_SOURCE_NAMES)})
    return name


SourceName = Annotated[str, AfterValidator(_planned)]
"""A planned member of `domain.enums.Source` in lower case; the JSON schema lists none, so that one may be added."""

Number = Annotated[float, Field(allow_inf_nan=False), AfterValidator(lambda value: value + 0.0)]
"""A finite float; adding 0.0 turns -0.0 into 0.0, so that equal bundles have one canonical form."""

ModelVersion = Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")]
GroupVersion = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*\.v[1-9][0-9]*$", max_length=64)]
HeadName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Weight = Annotated[Number, Field(ge=-1e6, le=1e6)]
"""Bounded so that a weighted sum of float32 scores is finite in float64."""

Milliseconds = Annotated[int, Field(ge=1, le=60_000)]


class Section(BaseModel):
    """What all sections share: frozen, strict types, unknown fields refused."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Models(Section):
    """Versions of the models in force; empty: not pinned."""

    two_tower: ModelVersion = Field(default="", description="Two-tower model; its index swaps with it.")
    pre_ranker: ModelVersion = Field(default="", description="Pre-ranker; only together with `ranker`.")
    ranker: ModelVersion = Field(default="", description="Multi-task ranker; only together with `pre_ranker`.")

    @property
    def ranked(self) -> bool:
        """Whether the ranking stage runs."""
        return bool(self.ranker)

    def pinned(self) -> tuple[tuple[str, str], ...]:
        """Return (kind, version) of every pinned model."""
        kinds = (("two_tower", self.two_tower), ("pre_ranker", self.pre_ranker), ("ranker", self.ranker))
        return tuple((kind, version) for kind, version in kinds if version)


class Features(Section):
    """Feature group versions to hydrate, in column order."""

    user: tuple[GroupVersion, ...] = Field(max_length=64, description="User groups.")
    item: tuple[GroupVersion, ...] = Field(max_length=64, description="Item groups, then crosses.")


class SourceSettings(Section):
    """What is wanted of one candidate source."""

    quota: int = Field(ge=1, le=2000, description="Most candidates it may propose.")
    weight: Number = Field(ge=0.0, le=1000.0, description="Weight of its ranks in the fused score.")
    budget_ms: Milliseconds = Field(description="Time after which retrieval goes on without it.")


class Retrieval(Section):
    """Candidate generation; a source that is not listed is not asked."""

    max_candidates: int = Field(ge=1, le=2000, description="Most candidates after the merge.")
    fresh_days: Number = Field(gt=0.0, le=3650.0, description="Age up to which an item counts as fresh.")
    sources: FrozenMap[SourceName, SourceSettings] = Field(
        description="Sources by name: a member of `Source` in domain/enums.py, in lower case."
    )

    def plans(self) -> tuple[SourcePlan, ...]:
        """Return the planned sources in the order of their numbers, which is the record's column order."""
        names = sorted(self.sources, key=lambda name: Source[name.upper()])
        return tuple(
            SourcePlan(Source[name.upper()], row.quota, row.weight, row.budget_ms)
            for name, row in ((name, self.sources[name]) for name in names)
        )


class Ranking(Section):
    """The pre-rank cut and the position that the ranker scores at."""

    best_n: int = Field(ge=1, le=2000, description="Candidates that get head scores and reach policy.")
    position: int = Field(ge=0, le=1000, description="Position input of the ranker, fixed at serving.")


class Objective(Section):
    """Utility = sum over heads of weight times score."""

    weights: FrozenMap[HeadName, Weight] = Field(description="Weight by head name; other heads weigh 0.")


class Constraints(Section):
    """Hard limits on a slate."""

    creator_cap: int = Field(ge=0, le=1000, description="Most items of one creator in a slate; 0: no cap.")
    topic_cap: int = Field(ge=0, le=1000, description="Most items of one first tag in a slate; 0: no cap.")
    seen_days: Number = Field(ge=0.0, le=3650.0, description="Days for which a confirmed view bars an item.")


class Diversity(Section):
    """Maximal marginal relevance."""

    mmr_lambda: Number = Field(ge=0.0, le=1.0, description="Weight of utility against similarity; 1: off.")


class ExplorationRules(Section):
    """What may be drawn at random."""

    slice_rate: Number = Field(ge=0.0, le=1.0, description="Share of slates drawn uniformly from the eligible.")
    explore_position: int = Field(ge=0, le=200, description="Slate position of the explore slot; 0: none.")


class Learning(Section):
    """What training takes from the policy."""

    ips_clip: Number = Field(ge=1.0, le=10_000.0, description="Largest inverse-propensity weight.")


class Funnel(Section):
    """How much of the funnel is put on record."""

    rate: Number = Field(ge=0.0, le=1.0, description="Share of decisions with a full funnel.")


class DeadlinesMs(Section):
    """Budgets in milliseconds: of a whole request and of each stage."""

    total: Milliseconds = Field(description="Whole request.")
    hydrate_user: Milliseconds = Field(description="Hydration of the user.")
    retrieve: Milliseconds = Field(description="Retrieval.")
    hydrate_items: Milliseconds = Field(description="Hydration of the candidates.")
    rank: Milliseconds = Field(description="Ranking.")
    decide: Milliseconds = Field(description="Policy.")
    record: Milliseconds = Field(description="Append to the log, the outbox included.")


class Staleness(Section):
    """What happens when projection lag exceeds a group's maximum."""

    on_stale: Literal["flag"] = Field(description="flag: serve, and say so in the degradations.")
