"""The log in, `Evidence` out: a closed window, replayed topic by topic, so that two runs over one log read the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from loopwright.eventlog import EventLog, Offsets, SkipAndCount
from loopwright.eventlog.replay import replay
from loopwright.eventlog.topics import ACTIONS, CATALOG, DECISIONS, IMPRESSIONS, ORGANIC, PROFILES, Topic
from loopwright.trainer.labels.evidence import Collector, Evidence
from loopwright.trainer.labels.exposures import Spec
from loopwright.trainer.windows import judges

TOPICS: tuple[Topic, ...] = (CATALOG, PROFILES, IMPRESSIONS, ACTIONS, ORGANIC, DECISIONS)
"""What is learned from, in the order of reading: decisions last, when it is known what was seen of them."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A window's evidence with the offsets it begins and ends at."""

    evidence: Evidence
    starts: Offsets
    ends: Offsets


async def read_evidence(
    log: EventLog,
    spec: Spec,
    surface: str,
    trained_until: Offsets,
    progress: Callable[[float], None] = lambda share: None,
) -> Reading:
    """Return everything on the log up to its present ends; what cannot be used is counted in `left_out`.

    Args:
        log: The event log.
        spec: Features and signals that slates must have been served with to be learned from.
        surface: Slates of other surfaces give no labels; their actions still count.
        trained_until: Ends of the incumbent's window in the organic topic; later organic rows judge.
        progress: Told the share read.

    Raises:
        LogUnavailable: The log does not answer.
    """
    starts, ends = await log.starts(TOPICS), await log.ends(TOPICS)
    total = max(1, sum(end - starts[place] for place, end in ends.items()))
    skipped = SkipAndCount("training")
    collector, done = Collector(spec, surface), 0
    async for records in replay(log, TOPICS, stop=ends, on_undecodable=skipped):
        collector.add_all(records, lambda one: judges(one.topic, one.partition, one.offset, trained_until))
        done += len(records)
        progress(done / total)
    evidence = collector.evidence()
    undecoded = {reason.lower().replace("_", " "): count for reason, count in sorted(skipped.counts.items())}
    return Reading(replace(evidence, left_out={**evidence.left_out, **undecoded}), starts, ends)
