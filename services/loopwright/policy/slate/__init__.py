"""The decision itself: a pure function of bundle, candidates and seed."""

from loopwright.policy.slate.decide import Decider, decide, draw
from loopwright.policy.slate.order import best_order
from loopwright.policy.slate.plan import Plan, make_plan
from loopwright.policy.slate.propensity import propensities

__all__ = ["Decider", "Plan", "best_order", "decide", "draw", "make_plan", "propensities"]
