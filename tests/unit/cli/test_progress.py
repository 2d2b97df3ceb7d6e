import pytest

from loopwright.cli.progress import progress_bars, spinner


def test_progress_goes_to_standard_error_so_that_json_stays_clean(capsys: pytest.CaptureFixture[str]) -> None:
    for bars in (progress_bars(), spinner()):
        assert bars.console.stderr
        with bars:
            task = bars.add_task("work", total=2)
            bars.advance(task, 2)
    assert bars.finished
