from tests.unit.projector.logs import log_of, some

from loopwright.eventlog import ITEM_FACTS, ITEM_ROWS, ORGANIC
from loopwright.projector.parking import SOURCES
from loopwright.projector.replay import ReplayFold
from loopwright.projector.store import MemoryStore


async def test_a_replay_up_to_an_offset_vector_is_the_fold_of_what_lies_before_it() -> None:
    appended = some(500)
    log = log_of(appended[:250])
    asked = await log.ends(SOURCES)
    before = (await ReplayFold(log, MemoryStore()).run()).hashes
    log_of(appended[250:], log.broker)
    assert (await ReplayFold(log, MemoryStore()).run(asked)).hashes == before
    assert (await ReplayFold(log, MemoryStore()).run()).hashes != before


async def test_a_replay_appends_nothing_and_tells_how_far_it_is() -> None:
    log, told = log_of(some(300)), []
    await ReplayFold(log, MemoryStore()).run(batch=50, on_progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert not any((await log.ends([ITEM_FACTS, ITEM_ROWS])).values())


async def test_places_left_out_of_the_vector_are_folded_to_their_ends() -> None:
    log = log_of(some(300))
    folded = await ReplayFold(log, MemoryStore()).run({(ORGANIC.name, 0): 3})
    ends = await log.ends(SOURCES)
    assert folded.offsets == ends | {(ORGANIC.name, 0): 3}
