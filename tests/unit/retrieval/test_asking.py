import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from loopwright.domain.enums import Source
from loopwright.faults import DependencyDown
from loopwright.featurespec.signals import SIGNALS
from loopwright.pipeline.types import CandidateSet, SourcePlan, SourceReport
from loopwright.retrieval.asking import Asking, Threads
from loopwright.retrieval.query import Proposal
from loopwright.rpc import Deadline

FAST, SLOW = Source.POPULARITY, Source.TRENDING


def plan(source: Source, budget_ms: int = 5000) -> SourcePlan:
    return SourcePlan(source, 20, 1.0, budget_ms)


def one_item(asked: SourcePlan) -> Proposal:
    return Proposal(np.array([asked.source], np.uint64), np.ones(1, np.float32))


class Rig:
    """One slow source that waits to be released, on an executor of as many threads as asked for."""

    def __init__(self, threads: int = 2) -> None:
        self.executor, self.maker = ThreadPoolExecutor(threads), ThreadPoolExecutor(1)
        self.release, self.began = threading.Event(), threading.Event()
        self.asked: list[tuple[Source, int]] = []
        self.assembled: list[int] = []

    def propose(self, asked: SourcePlan) -> Proposal:
        self.asked.append((asked.source, threading.get_ident()))
        if asked.source is SLOW:
            self.began.set()
            self.release.wait(30)
        return one_item(asked)

    def assemble(self, proposals: object, reports: tuple[SourceReport, ...]) -> CandidateSet:
        self.assembled.append(threading.get_ident())
        none = np.zeros(0, np.float32)
        ids, ranks = np.zeros(0, np.uint64), np.zeros((0, len(reports)), np.uint16)
        return CandidateSet(ids, none, ranks, none, none, SIGNALS, reports, "")

    async def ask(self, *plans: SourcePlan, cheap: tuple[Source, ...] = (), within_s: float = 20) -> CandidateSet:
        asking = Asking(self.propose, self.assemble, Threads(self.executor, self.maker))
        return await asking.answer(plans, lambda asked: asked.source in cheap, Deadline.after(within_s))


@pytest.fixture
def made() -> Iterator[Callable[..., Rig]]:
    rigs: list[Rig] = []

    def make(threads: int = 2) -> Rig:
        rigs.append(Rig(threads))
        return rigs[-1]

    yield make
    for rig in rigs:
        rig.release.set()
        rig.executor.shutdown()
        rig.maker.shutdown()


async def test_whoever_answers_last_makes_the_answer_so_that_the_threads_are_entered_once_a_source(
    made: Callable[..., Rig],
) -> None:
    rig = made(2)
    rig.release.set()
    found = await rig.ask(plan(FAST), plan(SLOW), plan(Source.FRESH), cheap=(Source.FRESH,))
    threads = dict(rig.asked)
    assert threads[Source.FRESH] == threading.get_ident()
    assert rig.assembled[0] in (threads[FAST], threads[SLOW]) and len(rig.assembled) == 1
    assert [report.source for report in found.reports] == [FAST, SLOW, Source.FRESH]
    assert rig.executor._work_queue.empty()  # nobody went back for the answer


async def test_only_cheap_sources_are_asked_at_once_and_the_answer_is_made_on_a_thread(
    made: Callable[..., Rig],
) -> None:
    rig = made()
    found = await rig.ask(plan(FAST), cheap=(FAST,))
    assert [thread for _, thread in rig.asked] == [threading.get_ident()]
    assert rig.assembled[0] != threading.get_ident()
    assert [report.count for report in found.reports] == [1]


async def test_the_last_source_is_cut_by_its_budget_and_the_answer_is_made_without_it(made: Callable[..., Rig]) -> None:
    rig = made(2)
    found = await rig.ask(plan(FAST), plan(SLOW, 30))
    assert [(report.count, report.failed, report.reason) for report in found.reports] == [
        (1, False, ""),
        (0, True, "TIMEOUT"),
    ]
    rig.release.set()
    rig.executor.shutdown()
    assert len(rig.assembled) == 1  # what came late makes no second answer


async def test_a_source_that_waits_for_a_thread_for_longer_than_its_budget_is_never_asked_and_only_it_is_missing(
    made: Callable[..., Rig],
) -> None:
    rig = made(1)
    busy = rig.executor.submit(rig.propose, plan(SLOW))
    rig.began.wait(10)
    found = await rig.ask(plan(FAST, 20), plan(Source.FRESH), cheap=(Source.FRESH,))
    assert [report.reason for report in found.reports] == ["TIMEOUT", ""]
    rig.release.set()
    busy.result(10)
    rig.executor.shutdown()
    assert [source for source, _ in rig.asked] == [SLOW, Source.FRESH]


async def test_sources_are_given_up_in_time_to_make_the_answer_of_the_others(made: Callable[..., Rig]) -> None:
    rig = made(2)
    found = await rig.ask(plan(FAST), plan(SLOW), within_s=2)
    assert [report.reason for report in found.reports] == ["", "TIMEOUT"]


async def test_a_passed_deadline_ends_the_wait_for_the_answer(made: Callable[..., Rig]) -> None:
    rig = made(2)
    busy = rig.maker.submit(rig.release.wait, 30)
    with pytest.raises(TimeoutError):
        await rig.ask(plan(SLOW), within_s=0.05)
    rig.release.set()
    busy.result(10)


async def test_a_fault_of_a_source_is_its_report_and_one_while_making_the_answer_is_raised(
    made: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = made()

    def failing(*_: object) -> Proposal:
        raise DependencyDown()

    monkeypatch.setattr(rig, "propose", failing)
    for cheap in ((), (FAST,)):
        found = await rig.ask(plan(FAST), cheap=cheap)
        assert [report.reason for report in found.reports] == [DependencyDown.reason]
    monkeypatch.setattr(rig, "assemble", failing)
    with pytest.raises(DependencyDown):
        await rig.ask(plan(FAST))
