"""Apache Kafka's jars, fetched once from Maven Central in pure Python and held to the committed lock.

In: `kafka_jars.lock` (coordinate and sha256 of each jar). Out: the jars' paths in the cache. No network when they are
there; other bytes than the lock's are refused either way. Set-up and `kafka_server` call it.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from loopwright.localmesh.failures import ArtefactRefused

KAFKA_VERSION = "4.3.1"
LOCK_FILE = Path(__file__).with_name("kafka_jars.lock")
FETCH_THREADS = 8
FETCH_TIMEOUT_S = 60
MOST_NAMED = 3  # of the missing jars in a message


@dataclass(frozen=True, slots=True)
class LockedJar:
    """One jar: its Maven coordinate and the sha256 of its bytes."""

    group: str
    artifact: str
    version: str
    classifier: str
    sha256: str

    @property
    def file_name(self) -> str:
        """The jar's name in the cache."""
        suffix = f"-{self.classifier}" if self.classifier else ""
        return f"{self.artifact}-{self.version}{suffix}.jar"


def locked_jars(lock_file: Path = LOCK_FILE) -> list[LockedJar]:
    """Read the lock: one `group:artifact:version[:classifier] sha256` a line, `#` starts a comment."""
    jars = []
    for line in lock_file.read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            coordinate, sha256 = line.split()
            group, artifact, version, *classifier = coordinate.split(":")
            jars.append(LockedJar(group, artifact, version, classifier[0] if classifier else "", sha256))
    return jars


def jars_folder(cache: Path) -> Path:
    """Return the folder of this version's jars below the cache."""
    return cache / "kafka" / KAFKA_VERSION


def is_intact(path: Path, sha256: str) -> bool:
    """Say whether the file exists and has exactly the locked bytes."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == sha256


def jars_present(cache: Path, jars: list[LockedJar] | None = None) -> list[Path]:
    """Return the paths of all jars, each verified against the lock, without any network.

    Raises:
        ArtefactRefused: a jar is missing or has other bytes than the lock names.
    """
    folder = jars_folder(cache)
    wanted = locked_jars() if jars is None else jars
    broken = [jar.file_name for jar in wanted if not is_intact(folder / jar.file_name, jar.sha256)]
    if broken:
        more = f" and {len(broken) - MOST_NAMED} more" if len(broken) > MOST_NAMED else ""
        named = f"{', '.join(broken[:MOST_NAMED])}{more}"
        raise ArtefactRefused(f"missing or not as locked in {folder}: {named}; run `make setup`")
    return [folder / jar.file_name for jar in wanted]


def ensure_jars(cache: Path, progress: Callable[[int, int], None] | None = None) -> list[Path]:
    """Fetch what is missing or broken, return all jars' paths; `progress` is told (done, total) per jar.

    Raises:
        ArtefactRefused: a jar cannot be fetched, or the fetched bytes are not the locked ones.
    """
    folder = jars_folder(cache)
    jars = locked_jars()
    missing = [jar for jar in jars if not is_intact(folder / jar.file_name, jar.sha256)]
    if missing:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch, ThreadPoolExecutor(FETCH_THREADS) as pool:
            fetched = pool.map(lambda jar: _fetch(jar, Path(scratch), folder), missing)
            for done, _ in enumerate(fetched, start=len(jars) - len(missing) + 1):
                if progress:
                    progress(done, len(jars))
    return [folder / jar.file_name for jar in jars]


def _fetch(jar: LockedJar, scratch: Path, folder: Path) -> None:
    from jgo.maven import MavenContext  # only set-up needs it: a broker starts without

    context = MavenContext(repo_cache=scratch, timeout=FETCH_TIMEOUT_S)
    component = context.project(jar.group, jar.artifact).at_version(jar.version)
    try:
        path = component.artifact(classifier=jar.classifier).resolve()
    except (OSError, RuntimeError) as error:  # requests' errors are OSErrors
        raise ArtefactRefused(f"cannot fetch {jar.file_name}: {error}") from error
    if not is_intact(path, jar.sha256):
        raise ArtefactRefused(f"{jar.file_name} was fetched with other bytes than the lock names")
    os.replace(path, folder / jar.file_name)
