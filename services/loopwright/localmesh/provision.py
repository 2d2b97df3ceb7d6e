"""Fetch what the wheels do not bring: Kafka's jars and the demo's data set. `make setup` runs it as a program.

With `--check` nothing is fetched; exit code 1 says that something is missing.
"""

from __future__ import annotations

import sys

from loopwright.localmesh.dataset import ensure_movielens, movielens_files
from loopwright.localmesh.failures import ArtefactRefused
from loopwright.localmesh.jars import ensure_jars, jars_present
from loopwright.localmesh.paths import cache_dir


def is_provisioned() -> bool:
    """Say whether jars and data set are in the cache, the jars verified."""
    try:
        jars_present(cache_dir())
    except ArtefactRefused:
        return False
    return movielens_files(cache_dir()).complete


def provision() -> None:
    """Fetch what is missing, telling the terminal.

    Raises:
        ArtefactRefused: something cannot be fetched or has unexpected bytes.
    """
    cache = cache_dir()

    def told(done: int, total: int) -> None:
        if done == total or sys.stdout.isatty():
            print(f"\rKafka jars {done}/{total}", end="\n" if done == total else "", flush=True)

    ensure_jars(cache, told)
    print(f"data set: {ensure_movielens(cache).ratings.parent}")


def main(arguments: list[str]) -> int:
    """Provision, or with `--check` look only; return the exit code."""
    if arguments == ["--check"]:
        return 0 if is_provisioned() else 1
    try:
        provision()
    except ArtefactRefused as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
