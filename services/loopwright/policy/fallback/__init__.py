"""The fallback order: what policy prepares for requests whose candidates, features or slate cannot be had."""

from loopwright.policy.fallback.keeper import FallbackKeeper
from loopwright.policy.fallback.ordering import LENGTH, Popular, ordered, popular, slate_query

__all__ = ["LENGTH", "FallbackKeeper", "Popular", "ordered", "popular", "slate_query"]
