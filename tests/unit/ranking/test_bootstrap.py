from pathlib import Path

import pytest

from loopwright.api.events.v1.policy_pb2 import PolicyPublished
from loopwright.bundle import PolicyBundle, canonical_json, policy_version, with_values
from loopwright.domain.ids import event_id
from loopwright.eventlog import POLICIES, READINESS, MemoryBroker, MemoryEventLog, make_event
from loopwright.faults import BundleNotLoaded
from loopwright.lifecycle import FixedClock, process_over
from loopwright.modelstore import ModelStore
from loopwright.ranking.bootstrap import bootstrap
from loopwright.ranking.config import RankingSettings
from loopwright.rpc import Deadline

from .conftest import Rig, ranked_bundle

CLOCK = FixedClock(1_700_000_000_000)


async def publish(broker: MemoryBroker, bundle: PolicyBundle) -> str:
    version = policy_version(bundle)
    said = PolicyPublished(policy_version=version, surface=bundle.surface, canonical=canonical_json(bundle))
    event = make_event(event_id(version), CLOCK.now_ms(), CLOCK, "policy", policy_published=said)
    log = MemoryEventLog(broker, producer="policy")
    await log.append(POLICIES, bundle.surface.encode(), event, deadline=Deadline.after(5))
    return version


async def test_the_composed_service_loads_what_the_log_publishes_and_reports_it(rig: Rig, tmp_path: Path) -> None:
    broker, store = MemoryBroker(wall_ms=CLOCK.wall_ms), ModelStore(tmp_path / "models")
    bundle = ranked_bundle(store)
    good = await publish(broker, bundle)
    bad = await publish(broker, with_values(bundle, {"objective.weights": {"dwell": 1.0}}))
    settings = RankingSettings(model_store_path=tmp_path / "models")
    log = MemoryEventLog(broker, producer="ranking")
    async with (
        process_over(log, "ranking", settings, wall_ms=CLOCK.wall_ms) as process,
        bootstrap(settings, process) as ranking,
    ):
        reports = [event.replica_reported for event in broker.records(READINESS)]
        said = {(report.kind, report.artefact): report.state for report in reports}
        assert said["pre_ranker", bundle.models.pre_ranker] == said["ranker", bundle.models.ranker] == 1
        assert said["bundle", good] == 1 and said["bundle", bad] == 2
        query = rig.query(policy_version=good)
        assert len((await ranking.ranker.score(query, Deadline.after(5))).best) == 3
        with pytest.raises(BundleNotLoaded):
            await ranking.ranker.score(rig.query(policy_version=bad), Deadline.after(5))
