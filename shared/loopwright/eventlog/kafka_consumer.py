"""Starts and closes the library's consumers, whatever state they are in; readers and lookups call it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from loopwright.eventlog.kafka_fetched import take_batches
from loopwright.eventlog.settings import LogSettings
from loopwright.faults import LogUnavailable
from loopwright.telemetry import get_logger

_log = get_logger(__name__)


async def start_consumer(bootstrap: str, settings: LogSettings, *, aging: bool = False) -> AIOKafkaConsumer:
    """Return a started consumer without a group; an aging one asks seldom while nothing comes.

    Raises:
        LogUnavailable: No broker answers within `request_timeout_s`.
    """
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="none",
        fetch_max_wait_ms=round((settings.aging_fetch_wait_s if aging else settings.fetch_wait_s) * 1000),
        max_partition_fetch_bytes=settings.partition_fetch_bytes,
        request_timeout_ms=round(settings.request_timeout_s * 1000),
    )
    try:
        async with asyncio.timeout(settings.request_timeout_s):
            await consumer.start()
    except BaseException as error:
        await close_consumer(consumer, settings.close_timeout_s)
        if isinstance(error, KafkaError | TimeoutError):
            raise LogUnavailable() from error
        raise
    take_batches(consumer)
    return consumer


async def close_consumer(consumer: AIOKafkaConsumer, timeout_s: float) -> None:
    """Stop a consumer; one whose tasks do not end within `timeout_s` is left behind and said so."""
    closing = asyncio.ensure_future(_close(consumer))
    try:
        await asyncio.wait([closing], timeout=timeout_s)
    finally:
        if not closing.done():
            closing.cancel()
            _log.warning("consumer left behind", extra={"cause": "its stop did not end"})
    if closing.done() and not closing.cancelled() and (error := closing.exception()) is not None:
        if not isinstance(error, KafkaError):
            raise error
        _log.info("consumer closed by force", extra={"cause": type(error).__name__})


async def _close(consumer: AIOKafkaConsumer) -> None:
    # The library's own stop is cut short when one of its tasks is cancelled before it began, and then leaves
    # connections open.
    if await _ended(consumer.stop()):
        return
    if consumer._fetcher is not None:
        await _ended(consumer._fetcher.close())
    await _ended(consumer._client.close())


async def _ended(closing: Coroutine[Any, Any, None]) -> bool:
    """Say whether a close came to its end rather than being cancelled from inside."""
    task = asyncio.ensure_future(closing)
    try:
        await asyncio.wait([task])
    finally:
        task.cancel()  # does nothing to one that has ended
    if task.cancelled():
        return False
    task.result()
    return True
