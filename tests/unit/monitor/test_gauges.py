from __future__ import annotations

from loopwright.domain.enums import Scheme, Source
from loopwright.monitor.facts import Served, Shown
from loopwright.monitor.gauges import Gauges
from loopwright.monitor.health import LoopHealth, Windows
from loopwright.monitor.progress import Lag
from loopwright.telemetry import Meter, names

DAY_MS = 86_400_000


def served(number: int, at_ms: int, source: Source, scheme: Scheme, *, degraded: bool = False) -> Served:
    degradations = {"RETRIEVE/TIMEOUT": 1} if degraded else {}
    return Served(b"%16d" % number, "home", at_ms, (Shown(1, 0, (source,), scheme),), degradations)


def test_what_has_left_the_summary_leaves_the_gauges() -> None:
    meter, health = Meter(), LoopHealth(Windows(1000, 7, DAY_MS))
    gauges = Gauges(meter)
    health.take(served(1, 0, Source.TRENDING, Scheme.EXPLORE, degraded=True))
    gauges.set_shares(health.summary(1))
    assert meter.value(names.EXPOSURE_SOURCE_SHARE, surface="home", source="TRENDING") == 1.0
    assert meter.value(names.DEGRADED_SHARE, surface="home") == 1.0
    gauges.set_shares(health.summary(20 * DAY_MS))
    assert meter.value(names.DEGRADED_SHARE, surface="home") == 0.0  # there are no decisions
    health.take(served(2, 30 * DAY_MS, Source.FRESH, Scheme.RANKED))
    gauges.set_shares(health.summary(30 * DAY_MS))
    shares = {s.name: meter.value(names.EXPOSURE_SOURCE_SHARE, surface="home", source=s.name) for s in Source}
    assert {name: share for name, share in shares.items() if share} == {"FRESH": 1.0}
    schemes = [meter.value(names.EXPOSURE_SCHEME_SHARE, surface="home", kind=k) for k in ("EXPLORE", "RANKED")]
    assert schemes == [0.0, 1.0]


def test_the_lag_of_a_consumer_that_is_gone_is_withdrawn() -> None:
    meter = Meter()
    gauges = Gauges(meter)
    gauges.set_lags([Lag("projector:x", "a", "actions", 500), Lag("projector:x", "b", "actions", 700)])
    assert meter.value(names.CONSUMER_LAG, topic="actions", group="projector:x") == 700
    gauges.set_lags([])
    assert meter.value(names.CONSUMER_LAG, topic="actions", group="projector:x") == 0
