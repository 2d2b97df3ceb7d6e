"""The feature groups that a request names, checked."""

from __future__ import annotations

from collections.abc import Sequence

from loopwright.faults import FieldViolation, InvalidRequest
from loopwright.featurespec.groups import GROUPS, Entity, Group


def asked_groups(names: Sequence[str], entities: frozenset[Entity]) -> list[Group]:
    """Return the groups of the names, in order.

    Raises:
        InvalidRequest: A group that this build does not know, of another entity, or named twice.
    """
    for place, name in enumerate(names):
        group = GROUPS.get(name)
        if group is None or group.entity not in entities or name in names[:place]:
            kinds = " or ".join(sorted(entity.name.lower() for entity in entities))
            violation = FieldViolation(f"groups[{place}]", "group", f"must be a known {kinds} group, named once")
            raise InvalidRequest(f"{violation.field}: {violation.description}", violations=[violation])
    return [GROUPS[name] for name in names]
