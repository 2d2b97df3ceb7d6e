"""`translate` turns a foreign library's exceptions into our faults; adapters put it around their calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from loopwright.faults.fault import Fault


@contextmanager
def translate(table: Mapping[type[Exception], type[Fault]]) -> Iterator[None]:
    """Re-raises foreign exceptions of the block as our faults, with the original as the cause.

    The first matching entry wins, so narrow exceptions stand before wide ones. Our own faults and everything
    that the table does not name (cancellation among it) pass through untouched. Works around `await` too.

    Args:
        table: foreign exception type -> fault type.

    Raises:
        Fault: the table's fault, with its default message (a foreign text may hold addresses or data).
    """
    try:
        yield
    except Fault:
        raise
    except Exception as error:
        for foreign, fault in table.items():
            if isinstance(error, foreign):
                raise fault() from error
        raise
