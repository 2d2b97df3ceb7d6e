import sys
from pathlib import Path

import pytest

from loopwright.cli.doctor import native
from loopwright.cli.doctor.finding import State


def python(text: str) -> tuple[str, ...]:
    return (sys.executable, "-c", text)


def test_the_installed_library_searches() -> None:
    assert native.hnswlib().state is State.OK


def test_a_library_for_another_cpu_is_told_from_the_signal_that_ends_its_process() -> None:
    found = native.hnswlib(python("import os, signal; os.kill(os.getpid(), signal.SIGILL)"))
    assert found.state is State.BROKEN and "SIGILL" in found.found and "uv cache clean hnswlib" in found.mend


def test_a_missing_library_is_told_with_the_missing_compiler() -> None:
    absent = python("import hnswlib_that_nobody_installed")
    found = native.hnswlib(absent, compilers=("no-such-compiler",))
    assert found.state is State.BROKEN and "no-such-compiler" in found.found and "apt-get install g++" in found.mend
    found = native.hnswlib(absent, compilers=(Path(sys.executable).name, sys.executable))
    assert "compiler" not in found.found and found.mend.startswith("`make setup`")


def test_a_library_that_cannot_be_loaded_says_why() -> None:
    found = native.hnswlib(python("raise ImportError('libstdc++.so.6: version GLIBCXX_3.4.32 not found')"))
    assert found.state is State.BROKEN and "GLIBCXX_3.4.32" in found.found and "make setup" in found.mend


def test_a_library_that_hangs_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "PROBE_TIMEOUT_S", 0.2)
    assert "no search within" in native.hnswlib(python("import time; time.sleep(30)")).found
