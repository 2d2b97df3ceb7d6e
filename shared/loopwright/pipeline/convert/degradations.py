"""Degradations and versions to and from messages: every answer and every record carries them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from loopwright.api.common.v1 import decision_pb2 as pb
from loopwright.domain.enums import DegradationReason, Stage
from loopwright.pipeline.convert.parsing import number, parse_enum
from loopwright.pipeline.types import Degradation, Versions


def degradation_to_proto(degradation: Degradation) -> pb.Degradation:
    """Return one degradation as a message."""
    return pb.Degradation(
        stage=number(degradation.stage), reason=number(degradation.reason), subject=degradation.subject
    )


def degradations_to_proto(degradations: Sequence[Degradation]) -> list[pb.Degradation]:
    """Return degradations as messages, in order."""
    return [degradation_to_proto(d) for d in degradations]


def degradations_from_proto(messages: Iterable[pb.Degradation], field: str = "degradations") -> tuple[Degradation, ...]:
    """Return messages as degradations, in order.

    Raises:
        InvalidRequest: A stage or reason that this build does not know.
    """
    return tuple(
        Degradation(
            stage=parse_enum(Stage, m.stage, f"{field}[{i}].stage"),
            reason=parse_enum(DegradationReason, m.reason, f"{field}[{i}].reason"),
            subject=m.subject,
        )
        for i, m in enumerate(messages)
    )


def versions_to_proto(versions: Versions) -> pb.Versions:
    """Return the versions in force as a message."""
    return pb.Versions(
        policy_version=versions.policy_version,
        two_tower_version=versions.two_tower_version,
        pre_ranker_version=versions.pre_ranker_version,
        ranker_version=versions.ranker_version,
        index_epoch=versions.index_epoch,
        feature_groups=versions.feature_groups,
    )


def versions_from_proto(message: pb.Versions) -> Versions:
    """Return the message as the versions in force."""
    return Versions(
        policy_version=message.policy_version,
        two_tower_version=message.two_tower_version,
        pre_ranker_version=message.pre_ranker_version,
        ranker_version=message.ranker_version,
        index_epoch=message.index_epoch,
        feature_groups=tuple(message.feature_groups),
    )
