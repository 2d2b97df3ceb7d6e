"""The policy bundle: schema, canonical form, hash; the feed of published and active bundles and fallback orders."""

from loopwright.bundle.activation import Active, Interval, PolicyState, Published, SurfaceState, Void, apply
from loopwright.bundle.canonical import canonical_json, policy_version, version_of
from loopwright.bundle.document import MAX_DOCUMENT_BYTES, parse_bundle, violations_of
from loopwright.bundle.fallback import FallbackOrder, order_of
from loopwright.bundle.feed import BundleFeed
from loopwright.bundle.model import PolicyBundle
from loopwright.bundle.reports import BundleReports
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
    SourceSettings,
    Staleness,
)
from loopwright.bundle.variants import default_bundle, default_document, with_models, with_values

__all__ = [
    "MAX_DOCUMENT_BYTES",
    "Active",
    "BundleFeed",
    "BundleReports",
    "Constraints",
    "DeadlinesMs",
    "Diversity",
    "ExplorationRules",
    "FallbackOrder",
    "Features",
    "Funnel",
    "Interval",
    "Learning",
    "Models",
    "Objective",
    "PolicyBundle",
    "PolicyState",
    "Published",
    "Ranking",
    "Retrieval",
    "SourceSettings",
    "Staleness",
    "SurfaceState",
    "Void",
    "apply",
    "canonical_json",
    "default_bundle",
    "default_document",
    "order_of",
    "parse_bundle",
    "policy_version",
    "version_of",
    "violations_of",
    "with_models",
    "with_values",
]
