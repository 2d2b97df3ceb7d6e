import pytest
from tests.unit.projector.stores import Loss, LossyStore

from loopwright.faults import DependencyDown
from loopwright.projector.fence import FencedStore
from loopwright.projector.store import MemoryStore, Write
from loopwright.projector.swap import StoreEmptied, StoreRolledBack

ROW = Write(rows={"user:{1}:aa": {"g": b"1"}}, values={"mark:{1}:organic": b"7"})


async def fenced(store: MemoryStore, stage: str = "users") -> FencedStore:
    found = FencedStore(store, stage, "first")
    await store.commit([Write(values=found.initial)])
    await found.begin()
    return found


async def test_what_is_committed_is_in_the_store() -> None:
    store = MemoryStore()
    stage = await fenced(store)
    await stage.commit([ROW])
    await stage.commit([])
    assert await stage.rows(["user:{1}:aa"], ["g"]) == [{"g": b"1"}]
    assert await stage.values(["mark:{1}:organic"]) == [b"7"]


async def test_a_store_that_was_emptied_is_told_and_not_written_to() -> None:
    store = LossyStore({})
    stage = await fenced(store)
    store.empty()
    with pytest.raises(StoreEmptied):
        await stage.commit([ROW])
    assert await store.values(["mark:{1}:organic", *stage.witnesses]) == [None, None, None]


async def test_an_emptying_within_a_commit_is_told_by_that_commit() -> None:
    store = LossyStore({3: Loss.EMPTY_WITHIN})
    stage = await fenced(store)
    with pytest.raises(StoreEmptied):
        await stage.commit([ROW])
    assert await store.values(list(stage.witnesses)) == [None, None]


async def test_progress_is_never_written_into_an_emptied_store() -> None:
    store = LossyStore({3: Loss.EMPTY_WITHIN})
    stage = await fenced(store)
    with pytest.raises(StoreEmptied):
        await stage.commit([Write(renewed={"progress:users": b"9"})])
    assert await store.values(["progress:users"]) == [None]


async def test_a_store_that_lost_its_newest_writes_is_told_and_not_written_to() -> None:
    store = LossyStore({})
    stage = await fenced(store)
    store.keep()
    await stage.commit([Write(values={"mark:{1}:organic": b"1"})])
    store.roll_back()
    with pytest.raises(StoreRolledBack):
        await stage.commit([ROW])
    assert await store.values(["mark:{1}:organic"]) == [None]
    await stage.begin()
    await stage.commit([ROW])
    assert await store.values(["mark:{1}:organic"]) == [b"7"]


async def test_a_commit_of_which_only_a_part_is_left_is_told() -> None:
    """The fence moves last: with its last value in the store, every row written before is there too."""
    store = LossyStore({})
    stage = await fenced(store)
    [before] = await store.values(["fence:users"])
    await stage.commit([ROW])
    assert before is not None
    await store.commit([Write(values={"fence:users": before})])  # rows reached the disk, the end of the commit did not
    with pytest.raises(StoreRolledBack):
        await stage.commit([])


async def test_beginning_in_an_emptied_store_makes_no_witness() -> None:
    stage = FencedStore(MemoryStore(), "users", "first")
    with pytest.raises(StoreEmptied):
        await stage.begin()
    assert await stage.values(list(stage.witnesses)) == [None, None]


async def test_the_fences_of_two_stages_and_of_two_processes_are_told_apart() -> None:
    store = MemoryStore()
    users, items = await fenced(store), await fenced(store, "items")
    await users.commit([])
    await items.commit([])
    second = FencedStore(store, "users", "second")
    await second.begin()
    with pytest.raises(StoreRolledBack):
        await users.commit([])
    await items.commit([])


def test_both_faults_are_those_of_a_dependency() -> None:
    assert issubclass(StoreEmptied, DependencyDown)
    assert issubclass(StoreRolledBack, DependencyDown)
