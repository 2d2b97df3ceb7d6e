from loopwright.eventlog import MemoryBroker, MemoryEventLog
from loopwright.eventlog.topics import MODELS
from loopwright.lifecycle import FixedClock
from loopwright.modelstore import Kind, Manifest, ModelFile
from loopwright.rpc import Deadline
from loopwright.trainer.convert import evaluated_event, trained_event, trained_until
from loopwright.trainer.gate.verdict import REFUSED, Verdict

CLOCK = FixedClock(1_700_000_000_000)
MANIFEST = Manifest("a" * 64, Kind.RANKER, (ModelFile("ranker.onnx", "b" * 64, 7),), ("g.v1",), ("s",), ("engage",))


def details(end: int) -> dict[str, object]:
    windows = [{"topic": "organic", "partition": p, "start": 0, "end": end + p} for p in (0, 1)]
    return {"windows": windows, "metrics": {"users": 3.0}, "seed": 9, "settings": {"x": 1}}


def test_a_trained_model_is_told_with_its_window_and_settings() -> None:
    key, event = trained_event(MANIFEST, details(5), CLOCK)
    told = event.model_trained.manifest
    assert key == b"a" * 64
    assert (told.kind, told.seed, told.settings_json) == ("ranker", 9, '{"x": 1}')
    assert [(w.topic, w.partition, w.start, w.end) for w in told.windows] == [
        ("organic", 0, 0, 5),
        ("organic", 1, 0, 6),
    ]
    assert told.files[0].size_bytes == 7


def test_a_verdict_is_told_with_its_figures() -> None:
    _, event = evaluated_event(["v1", "v2"], "p", Verdict(REFUSED, ("a", "b"), {"difference": -0.1}), CLOCK)
    told = event.model_evaluated
    assert (told.verdict, told.reason, told.incumbent_policy_version) == ("REFUSED", "a; b", "p")
    assert told.figures["difference"] == -0.1


async def test_the_furthest_training_of_a_model_says_where_its_window_ends() -> None:
    log = MemoryEventLog(MemoryBroker(), producer="trainer")
    for end in (5, 9, 7):
        key, event = trained_event(MANIFEST, details(end), CLOCK)
        await log.append(MODELS, key, event, deadline=Deadline.after(5))
    assert await trained_until(log, "a" * 64) == {("organic", 0): 9, ("organic", 1): 10}
    assert await trained_until(log, "c" * 64) == {}
