"""Recorded bytes of events stay readable: each file decodes to what it says below and encodes to itself again.

A file is never changed; a new payload or field gets a new one (`python -m tests.golden.test_events` writes those).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from loopwright.api.common.v1.decision_pb2 import Purpose, Scheme, Versions
from loopwright.api.common.v1.tensor_pb2 import Dtype, Tensor
from loopwright.api.events.v1.catalog_pb2 import ItemUpserted
from loopwright.api.events.v1.control_pb2 import ClockSet, ReplicaReported, ReplicaState
from loopwright.api.events.v1.decision_pb2 import FunnelChunk, RequestRecord, SlateDecided, SlatePosition
from loopwright.api.events.v1.event_pb2 import Event, EventSetAside
from loopwright.api.events.v1.feedback_pb2 import ActionKind, ActionTaken, ItemsViewed, OrganicInteraction, ViewedItem
from loopwright.api.events.v1.policy_pb2 import PolicyActivated, PolicyPublished
from loopwright.api.events.v1.profile_pb2 import CreatorBlocked, ProfileUpdated
from loopwright.api.events.v1.projection_pb2 import ItemFactsDerived, ItemRowFolded
from loopwright.api.events.v1.sealed_pb2 import Sealed
from loopwright.eventlog import Record, make_event
from loopwright.eventlog.decoding import decode
from loopwright.lifecycle import FixedClock

FOLDER = Path(__file__).parent / "events"
CLOCK = FixedClock(1_700_000_100_000)
SUBJECT = bytes(range(16))
DECISION = bytes(range(100, 116))


def u64(*values: int) -> Tensor:
    data = b"".join(value.to_bytes(8, "little") for value in values)
    return Tensor(dtype=Dtype.DTYPE_UINT64, shape=[len(values)], data=data)


def envelope(number: int, **payload: object) -> Event:
    return make_event(
        bytes([number]) * 16,
        1_700_000_000_123,
        CLOCK,
        "golden 1",
        surface="home",
        versions=Versions(policy_version="a" * 64, feature_groups=["item_content.v1"]),
        client_event_id=f"{number:05}",
        **payload,
    )


def events() -> dict[str, Event]:
    upserted = ItemUpserted(
        item_id=1 << 63, external_id="i1", title="Título", tags=["a", "b"], creator="c", locale="es"
    )
    upserted.published_at.seconds = 1_600_000_000
    viewed = ViewedItem(item_id=7, position=3, seen=True)
    viewed.view_time.FromMilliseconds(1_500)
    clock = ClockSet(cause="import")
    clock.offset.FromMilliseconds(-86_400_500)
    slate = SlateDecided(
        decision_id=DECISION,
        request=RequestRecord(
            request_id="r", subject=SUBJECT, k=2, purpose=Purpose.PURPOSE_SERVE, sealed=Sealed(data=b"plain")
        ),
        seed=(1 << 64) - 1,
        slate=[SlatePosition(item_id=7, position=1, p_shown=0.5, scheme=Scheme.SCHEME_EXPLORE)],
        funnel_chunks=2,
    )
    return {
        "slate_decided.v1": envelope(1, slate_decided=slate),
        "funnel_chunk.v1": envelope(
            2, funnel_chunk=FunnelChunk(decision_id=DECISION, subject=SUBJECT, index=1, count=2, data=b"\0zstd\xff")
        ),
        "items_viewed.v1": envelope(3, items_viewed=ItemsViewed(decision_id=DECISION, subject=SUBJECT, items=[viewed])),
        "action_taken.v1": envelope(
            4,
            action_taken=ActionTaken(
                decision_id=DECISION,
                subject=SUBJECT,
                item_id=7,
                position=3,
                kind=ActionKind.ACTION_KIND_LIKE,
                value=1.0,
                liked=True,
            ),
        ),
        "organic_interaction.v1": envelope(
            5,
            organic_interaction=OrganicInteraction(
                subject=SUBJECT, item_id=7, kind=ActionKind.ACTION_KIND_RATE, value=4.5, liked=True
            ),
        ),
        "item_upserted.v1": envelope(6, item_upserted=upserted),
        "profile_updated.v1": envelope(
            7, profile_updated=ProfileUpdated(subject=SUBJECT, locale="de", traits={"age_band": "25-34"})
        ),
        "creator_blocked.v1": envelope(8, creator_blocked=CreatorBlocked(subject=SUBJECT, creator_id=9)),
        "clock_set.v1": envelope(9, clock_set=clock),
        "policy_published.v1": envelope(
            10, policy_published=PolicyPublished(policy_version="b" * 64, surface="home", canonical=b"{}", actor="test")
        ),
        "policy_activated.v1": envelope(
            11, policy_activated=PolicyActivated(policy_version="b" * 64, surface="home", expected_previous="a" * 64)
        ),
        "replica_reported.v1": envelope(
            12,
            replica_reported=ReplicaReported(
                replica="ranking-0",
                service="ranking",
                kind="ranker",
                artefact="v",
                state=ReplicaState.REPLICA_STATE_REJECTED,
                reason="MODEL_NOT_FINITE",
                reported_at_ms=5,
            ),
        ),
        "item_facts_derived.v1": envelope(
            13,
            item_facts_derived=ItemFactsDerived(
                source_topic="organic", item_partition=63, offsets=u64(4, 4), item_ids=u64(1, 2)
            ),
        ),
        "item_row_folded.v1": envelope(
            14, item_row_folded=ItemRowFolded(item_id=7, group_version="item_counts.v1", state=b"state")
        ),
        "event_set_aside.v1": envelope(
            15, event_set_aside=EventSetAside(topic="actions", partition=1, offset=2, reason="LATE", value=b"\xff")
        ),
    }


@pytest.mark.parametrize("name", sorted(events()))
def test_a_recorded_event_decodes_to_what_was_written_and_encodes_to_itself(name: str) -> None:
    recorded = (FOLDER / f"{name}.bin").read_bytes()
    record = decode("golden", 0, 0, SUBJECT, recorded, "", 0)
    assert isinstance(record, Record)
    assert record.event == events()[name]
    assert record.event.WhichOneof("payload") == name.removesuffix(".v1")
    assert record.event.SerializeToString(deterministic=True) == recorded


def test_every_recorded_event_is_checked() -> None:
    assert {path.stem for path in FOLDER.glob("*.bin")} == set(events())


if __name__ == "__main__":
    for title, made in events().items():
        target = FOLDER / f"{title}.bin"
        if not target.exists():
            target.write_bytes(made.SerializeToString(deterministic=True))
