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


def test_sources_that_the_contract_names_are_those_and_an_added_one_has_a_number_of_its_own() -> None:
    contract = {name.removeprefix("CANDIDATE_SOURCE_"): n for name, n in common.CandidateSource.items() if n}
    registered = {name: member.value for name, member in enums.Source.__members__.items()}
    assert {name: n for name, n in registered.items() if name in contract} == contract
    assert len(set(registered.values())) == len(registered), "two sources share a number"
    assert all(n > 0 for n in registered.values())
    assert not {n for name, n in registered.items() if name not in contract} & set(contract.values())
