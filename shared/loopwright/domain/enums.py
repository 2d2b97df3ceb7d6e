"""Enumerations of the contracts as plain integers; the numbers equal those of `protos/`, which a test checks.

`Source` alone may have members that the contracts do not name: it is the registry of candidate sources.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag


class Source(IntEnum):
    """Who proposed a candidate; the one list of candidate sources, which retrieval, bundles and every reader follow.

    A name is, in lower case, the source's name in bundles and reports and that of its file. A number lies on record for
    good: it is never changed and never given to another source.
    """

    TWO_TOWER = 1
    CO_VISITATION = 2
    TRENDING = 3
    FRESH = 4
    POPULARITY = 5
    FALLBACK = 6


SOURCES = {int(source): source for source in Source}
"""Number -> source: what asking the class costs, without the call, for whoever reads many."""

PLANNED_SOURCES = tuple(source for source in Source if source is not Source.FALLBACK)
"""Sources that a bundle may plan; the fallback order stands in when they are lost."""


class Purpose(IntEnum):
    """Why a list was asked for; only SERVE counts as exposure."""

    SERVE = 1
    EVALUATE = 2
    SHADOW = 3
    SIMULATE = 4


class Exploration(IntEnum):
    """Whether the bundle's exploration may be drawn."""

    BUNDLE = 1
    OFF = 2


class Scheme(IntEnum):
    """The randomisation branch that was drawn."""

    NONE = 1
    RANKED = 2
    EXPLORE = 3
    SLICE = 4


SCHEMES = {int(scheme): scheme for scheme in Scheme}
"""Number -> scheme, as `SOURCES`."""


class Stage(IntEnum):
    """A step of the request path."""

    HYDRATE_USER = 1
    RETRIEVE = 2
    HYDRATE_ITEMS = 3
    RANK = 4
    DECIDE = 5
    RECORD = 6
    RECOMMEND = 7


class DegradationReason(IntEnum):
    """What fell short of the plan."""

    TIMEOUT = 1
    UNAVAILABLE = 2
    SOURCE_FAILED = 3
    STALE_FEATURES = 4
    NOT_ANSWERED = 5
    IDEMPOTENCY_UNCHECKED = 6
    PREVIOUS_POLICY = 7
    FALLBACK = 8
    SHORT_SLATE = 9
    STALE_POLICY_FEED = 10


class DropReason(IntEnum):
    """Why a candidate is not in the slate; KEPT: it is."""

    KEPT = 0
    CUT = 1
    SEEN = 2
    RECENT = 3
    BLOCKED = 4
    EXCLUDED = 5
    WITHDRAWN = 6
    OUT_OF_STOCK = 7
    UNSAFE = 8
    CREATOR_CAP = 9
    TOPIC_CAP = 10
    OUTRANKED = 11
    UNKNOWN_ITEM = 12


class MutationKind(IntEnum):
    """How policy changed the ranked order."""

    CREATOR_CAP = 1
    TOPIC_CAP = 2
    DIVERSITY = 3
    EXPLORE = 4
    SLICE = 5
    CAP_LIFTED = 6


class ActionKind(IntEnum):
    """What a user did."""

    CLICK = 1
    SKIP = 2
    DWELL = 3
    LIKE = 4
    SHARE = 5
    PURCHASE = 6
    COMPLETE = 7
    APPLY = 8
    HIDE = 9
    BLOCK = 10
    REPORT = 11
    REFUND = 12
    RETURN = 13
    ABANDON = 14
    SURVEY = 15
    SESSION_RETURN = 16
    RATE = 17


class Mask(IntEnum):
    """Where a feature group's values came from."""

    PRESENT = 0
    ABSENT = 1
    NOT_ANSWERED = 2


class Guard(IntFlag):
    """Why a candidate must not be shown to this user now."""

    SEEN = 1
    RECENT = 2
    BLOCKED = 4
    EXCLUDED = 8


class Eligibility(IntFlag):
    """Why an item must not be shown to anybody."""

    WITHDRAWN = 1
    OUT_OF_STOCK = 2
    UNSAFE = 4
    UNKNOWN_ITEM = 8


NEGATIVE_ACTIONS = frozenset({ActionKind.HIDE, ActionKind.BLOCK, ActionKind.REPORT})
"""Kinds that bar an item from its user for good."""

ENGAGEMENTS = frozenset(
    {
        ActionKind.CLICK,
        ActionKind.LIKE,
        ActionKind.SHARE,
        ActionKind.PURCHASE,
        ActionKind.COMPLETE,
        ActionKind.APPLY,
        ActionKind.RATE,
    }
)
"""Kinds that count as engagement (label `engage`, co-visitation, popularity)."""
