"""`python -m benchmarks.quality`: start a mesh, import the first 90 %, train, promote, evaluate, write RESULTS.md."""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

from benchmarks.quality.baselines import baselines
from benchmarks.quality.mesh_lists import loopwright, stage_lists
from benchmarks.quality.metrics import quality
from benchmarks.quality.results import write
from benchmarks.quality.split import split
from loopwright.localmesh.dataset import movielens_files
from loopwright.localmesh.paths import cache_dir

SHARE = 0.9
RESULTS = Path(__file__).with_name("RESULTS.md")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="seed of the training run")
    parser.add_argument("--data-dir", type=Path, help="use the trained mesh that runs there instead of a new one")
    parser.add_argument("--out", type=Path, default=RESULTS, help="where the table is written")
    asked = parser.parse_args()
    files = movielens_files(cache_dir())
    data = split(files.ratings, SHARE)
    seconds: dict[str, float] = {}
    if asked.data_dir:
        lists = asyncio.run(stage_lists(asked.data_dir, data.users))
    else:
        with tempfile.TemporaryDirectory(prefix="loopwright-quality-") as folder:
            where = ["--data-dir", folder]
            steps = {
                "start": ["up", *where],
                "import": ["import", *where, "--ratings", str(files.ratings), "--items", str(files.items),
                           "--clock", "event", "--first-share", str(SHARE)],
                "train": ["train", *where, "--promote", "--seed", str(asked.seed)],
            }  # fmt: skip
            try:
                for name, command in steps.items():
                    began = time.monotonic()
                    loopwright(*command)
                    seconds[name] = time.monotonic() - began
                began = time.monotonic()
                lists = asyncio.run(stage_lists(Path(folder), data.users))
                seconds["evaluate"] = time.monotonic() - began
            finally:
                loopwright("down", *where)
    lists |= baselines(data)
    print(write(asked.out, {name: quality(found, data) for name, found in lists.items()}, data, asked.seed, seconds))


if __name__ == "__main__":
    main()
