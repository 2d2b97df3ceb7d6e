from pathlib import Path

from loopwright.cli.demo.folder import clear, fresh_folder


def test_every_demo_gets_an_empty_folder_of_its_own(tmp_path: Path) -> None:
    base = tmp_path / "mesh"
    folders = [fresh_folder(base, "20260101-120000") for _ in range(3)]
    assert [folder.name for folder in folders] == [
        "demo-20260101-120000",
        "demo-20260101-120000-2",
        "demo-20260101-120000-3",
    ]
    assert all(folder.is_dir() and not any(folder.iterdir()) for folder in folders)


def test_what_else_lies_in_the_data_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{}")
    fresh_folder(tmp_path, "x")
    assert (tmp_path / "run.json").read_text() == "{}"


def test_logs_and_report_stay_when_a_folder_is_cleared(tmp_path: Path) -> None:
    for name in ("logs", "kafka", "models"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("x")
    (tmp_path / "report.json").write_text("{}")
    (tmp_path / "other.json").write_text("{}")
    clear(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["logs", "report.json"]
    assert (tmp_path / "logs" / "file").exists()
