"""Arguments and settings in, one training run on the live log out; `job` calls it once the threads are settled."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial

from loopwright.eventlog import CONTROL, KafkaEventLog, Tail
from loopwright.faults import Fault, Internal
from loopwright.lifecycle import MeshClock
from loopwright.modelstore import ModelStore
from loopwright.rpc import Deadline, run
from loopwright.telemetry import configure, get_logger
from loopwright.trainer.clients import policy_service
from loopwright.trainer.config import TrainerSettings
from loopwright.trainer.convert import PRODUCER
from loopwright.trainer.reporting import Reporter
from loopwright.trainer.training import Order, train

_log = get_logger(__name__)


def arguments() -> argparse.ArgumentParser:
    """Return the parser of the job's arguments."""
    parser = argparse.ArgumentParser(prog="python -m loopwright.trainer.job", description="Train on the log once.")
    parser.add_argument("--seed", type=int, default=1, help="seeds everything random of the run")
    parser.add_argument("--promote", action="store_true", help="activate the models if the gates allow it")
    parser.add_argument("--surface", default="home", help="surface to train for")
    parser.add_argument("--actor", default=PRODUCER, help="name that goes on record with a promotion")
    return parser


def run_job(argv: Sequence[str]) -> int:
    """Run the job and return its exit code."""
    asked = arguments().parse_args(argv)
    settings = TrainerSettings()
    reporter = Reporter()
    provider = configure(PRODUCER, settings.telemetry, level=settings.log_level)
    logging.getLogger("aiokafka").setLevel("CRITICAL")  # an outage is told by our own faults
    try:
        run(lambda: _train(settings, asked, reporter))
    except Fault as fault:
        reporter.fault(fault)
        return 1
    except Exception as error:  # the caller reads JSON lines: what nobody foresaw is a line too
        _log.error("the training run failed", exc_info=error)
        reporter.fault(Internal(f"{type(error).__name__}: {error}"))
        return 1
    finally:
        provider.shutdown()
    return 0


async def _train(settings: TrainerSettings, asked: argparse.Namespace, reporter: Reporter) -> None:
    async with AsyncExitStack() as stack:
        log = await stack.enter_async_context(
            KafkaEventLog.open(
                settings.kafka_bootstrap,
                producer=PRODUCER,
                prefix=settings.topic_prefix,
                settings=settings.log.model_copy(update={"open_timeout_s": settings.startup_timeout_s}),
            )
        )
        clock = MeshClock()
        control = Tail(log, [CONTROL], clock.apply, name="control")
        await control.start(Deadline.after(settings.startup_timeout_s))
        stack.push_async_callback(control.stop)
        store = ModelStore(settings.model_store_path)
        order = Order(seed=asked.seed, surface=asked.surface)
        policies = partial(policy_service, settings, asked.actor) if asked.promote else None
        await train(log, clock, store, settings, order, reporter, policies)
