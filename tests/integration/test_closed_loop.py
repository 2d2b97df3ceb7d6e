"""The whole loop on a small catalogue of our own, every service a process, through the command line only."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from loopwright.localmesh.process import is_alive
from loopwright.localmesh.run_file import read_run_file
from tests.integration.processes import IMPORT_PATH

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(600)]

TASTES, USERS, ITEMS, ROWS_EACH = 4, 150, 160, 30
DAY_S = 86_400


def write_catalogue(folder: Path) -> tuple[Path, Path]:
    """Write users of four tastes, who mostly rate, and rate higher, items of their taste's tag; nothing is random."""
    items, ratings = folder / "items.csv", folder / "ratings.csv"
    with items.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("item_id", "title", "tags", "creator", "published_at"))
        for n in range(ITEMS):
            published = f"2023-{1 + n * 12 // ITEMS:02d}-01T00:00:00Z"
            writer.writerow((f"i{n}", f"Item {n}", f"tag{n % TASTES}|all", f"creator{n % 23}", published))
    with ratings.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("user_id", "item_id", "rating", "timestamp"))
        rows = []
        for user in range(USERS):
            mine = [n for n in range(ITEMS) if n % TASTES == user % TASTES]
            others = [n for n in range(ITEMS) if n % TASTES != user % TASTES]
            for rank in range(ROWS_EACH):
                own = rank % 5 != 4
                pool = mine if own else others
                item = pool[(user * 7 + rank * (3 if own else 11)) % len(pool)]
                rows.append(
                    (1_704_067_200 + rank * DAY_S + user * 60, f"u{user}", f"i{item}", 4 + rank % 2 if own else 2)
                )
        seen: set[tuple[str, str]] = set()
        for time, user_id, item_id, rating in sorted(rows):
            if (user_id, item_id) not in seen:
                seen.add((user_id, item_id))
                writer.writerow((user_id, item_id, rating, time))
    return ratings, items


def loopwright(*arguments: str, within_s: float = 400) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "loopwright.cli.main", *arguments],
        capture_output=True, text=True, timeout=within_s, env={**os.environ, "PYTHONPATH": IMPORT_PATH}, check=False,
    )  # fmt: skip


def answered(*arguments: str) -> Any:
    done = loopwright(*arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The report of a small demo whose mesh runs on, and its data folder; the mesh is ended afterwards."""
    folder = Path(tmp_path_factory.mktemp("loop"))
    ratings, items = write_catalogue(folder)
    done = loopwright(
        "demo", "--keep", "--ratings", str(ratings), "--items", str(items), "--requests", "80", "--proofs", "40",
        "--json", str(folder / "report.json"), "--data-dir", str(folder / "mesh"),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    (data_dir,) = (folder / "mesh").iterdir()
    yield json.loads((folder / "report.json").read_text()), data_dir
    loopwright("down", "--data-dir", str(data_dir))


def test_every_request_was_answered_and_all_that_clients_sent_is_accounted_for(demo: Any) -> None:
    report, _ = demo
    traffic = report["traffic"]
    assert (traffic["visits"], traffic["answered"], traffic["refused"]) == (80, 80, {})
    assert report["accounting_agrees"] is True
    assert report["accounting"]["seen"] == traffic["viewed"] > 0
    assert report["decisions"]["count"] == 80
    assert report["decisions"]["undegraded_share"] > 0


def test_the_first_models_had_no_incumbent_and_the_retrained_ones_were_judged(demo: Any) -> None:
    report, _ = demo
    assert report["first_training"]["gate"]["verdict"] == "NO_VERDICT"
    assert report["first_training"]["promoted"] is True
    retrained = report["retraining"]
    assert retrained["promoted"] == (retrained["gate"]["verdict"] != "REFUSED")
    assert (report["quality"]["after"] is not None) == retrained["promoted"]
    assert report["quality"]["before"]["users"] > 10


def test_random_decisions_hold_across_the_bundle_change(demo: Any) -> None:
    report, data_dir = demo
    assert (report["proofs"]["proven"], report["proofs"]["sampled"]) == (40, 40)
    assert {report["bundle_change"]["before"], report["bundle_change"]["after"]} <= set(
        report["proofs"]["policy_versions"]
    )
    again = answered("explain", "--verify", "--sample", "20", "--seed", "7", "--json", "--data-dir", str(data_dir))
    assert (again["proven"], again["broken_links"]) == (20, {})
    one = report["explained"]["decision_id"]
    explained = answered("explain", one, "--verify", "--json", "--data-dir", str(data_dir))
    assert explained["proof"]["holds"] is True


def test_held_users_were_never_shown_anything(demo: Any) -> None:
    report, _ = demo
    assert report["population"]["held_users"] > 20
    assert report["population"]["organic_meanwhile"] > 0
    assert report["decisions"]["count"] == report["traffic"]["answered"]


def test_lists_to_judge_come_whole_for_known_and_new_users(demo: Any, tmp_path: Path) -> None:
    _, data_dir = demo
    users, lists = tmp_path / "users.txt", tmp_path / "lists.json"
    users.write_text("u0\nu1\nnobody yet\n")
    done = loopwright(
        "recommend", "--users", str(users), "--k", "10", "--out", str(lists), "--data-dir", str(data_dir)
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(lists.read_text())
    assert list(found) == ["u0", "u1", "nobody yet"]
    assert all(len(set(ranked)) == len(ranked) == 10 for ranked in found.values())


def test_the_log_folded_again_is_what_the_mesh_holds(demo: Any) -> None:
    _, data_dir = demo
    done = loopwright("replay", "--into", "fresh", "--json", "--data-dir", str(data_dir))
    assert done.returncode == 0, done.stdout + done.stderr


def test_down_leaves_no_process_behind(demo: Any) -> None:
    _, data_dir = demo
    run = read_run_file(data_dir)
    assert run is not None and run.alive
    assert loopwright("down", "--data-dir", str(data_dir)).returncode == 0
    assert [record.name for record in (run.supervisor, *run.processes) if is_alive(record)] == []
