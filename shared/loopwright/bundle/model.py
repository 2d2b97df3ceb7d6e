"""`PolicyBundle`: everything that shapes a decision on one surface; its canonical hash is the policy version."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from loopwright.bundle.sections import (
    Constraints,
    DeadlinesMs,
    Diversity,
    ExplorationRules,
    Features,
    Funnel,
    Learning,
    Models,
    Objective,
    Ranking,
    Retrieval,
    Section,
    Staleness,
)


class PolicyBundle(Section):
    """One policy bundle, frozen; make one with `parse_bundle`, `with_models` or `with_values`."""

    model_config = ConfigDict(title="Loopwright policy bundle")

    schema_: Literal[1] = Field(alias="schema", description="Version of this document format.")
    surface: str = Field(pattern=r"^[a-z][a-z0-9_]{0,31}$", description="Surface the bundle is for.")
    models: Models = Field(default=Models(), description="Pinned models.")
    features: Features = Field(description="Feature groups.")
    retrieval: Retrieval = Field(description="Candidate generation.")
    ranking: Ranking = Field(description="Pre-rank cut and scoring.")
    objective: Objective = Field(description="Weights of the heads.")
    constraints: Constraints = Field(description="Caps and guards.")
    diversity: Diversity = Field(description="Diversity.")
    exploration: ExplorationRules = Field(description="Randomisation.")
    learning: Learning = Field(description="What training takes from the policy.")
    funnel: Funnel = Field(description="How much is logged.")
    deadlines_ms: DeadlinesMs = Field(description="Budgets.")
    staleness: Staleness = Field(description="What staleness does.")
    experiments: Annotated[tuple[str, ...], Field(max_length=0)] = Field(
        default=(), description="Reserved; must be empty."
    )
