"""Numbers in the domain are the numbers of the contracts."""

from enum import IntEnum
from typing import Any

import pytest

from loopwright.api.common.v1 import decision_pb2 as common
from loopwright.api.events.v1 import decision_pb2 as events
from loopwright.api.events.v1 import feedback_pb2 as feedback
from loopwright.api.hydration.v1 import hydration_service_pb2 as hydration
from loopwright.domain import enums

PAIRS: list[tuple[type[IntEnum], Any, str, int]] = [
    (enums.Source, common.CandidateSource, "CANDIDATE_SOURCE_", 1),
    (enums.Purpose, common.Purpose, "PURPOSE_", 1),
    (enums.Exploration, common.Exploration, "EXPLORATION_", 1),
    (enums.Scheme, common.Scheme, "SCHEME_", 1),
    (enums.Stage, common.Stage, "STAGE_", 1),
    (enums.DegradationReason, common.DegradationReason, "DEGRADATION_REASON_", 1),
    (enums.MutationKind, events.MutationKind, "MUTATION_KIND_", 1),
    (enums.ActionKind, feedback.ActionKind, "ACTION_KIND_", 1),
    (enums.DropReason, events.DropReason, "DROP_REASON_", 1),
    (enums.Mask, hydration.MaskValue, "MASK_VALUE_", 1),
]


@pytest.mark.parametrize(("domain", "proto", "prefix", "first"), PAIRS)
def test_domain_and_contract_agree(domain: type[IntEnum], proto: Any, prefix: str, first: int) -> None:
    contract = {name.removeprefix(prefix): n for name, n in proto.items() if n >= first}
    assert {member.name: member.value for member in domain if member.value >= first} == contract
