import hashlib
from pathlib import Path

import pytest

from loopwright.localmesh.failures import ArtefactRefused
from loopwright.localmesh.jars import KAFKA_VERSION, LockedJar, ensure_jars, jars_folder, jars_present, locked_jars


def placed(cache: Path, content: bytes, locked: bytes) -> LockedJar:
    jar = LockedJar("org.example", "thing", "1.0", "", hashlib.sha256(locked).hexdigest())
    jars_folder(cache).mkdir(parents=True)
    (jars_folder(cache) / jar.file_name).write_bytes(content)
    return jar


def test_the_lock_names_the_broker_of_the_declared_version_with_a_hash_for_every_jar() -> None:
    jars = locked_jars()
    assert LockedJar("org.apache.kafka", "kafka_2.13", KAFKA_VERSION, "", _broker_hash(jars)) in jars
    assert all(len(bytes.fromhex(jar.sha256)) == 32 for jar in jars)
    assert len({jar.file_name for jar in jars}) == len(jars)


def _broker_hash(jars: list[LockedJar]) -> str:
    return next(jar.sha256 for jar in jars if jar.artifact == "kafka_2.13")


def test_a_coordinate_with_a_classifier_keeps_it_in_the_file_name(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    lock.write_text(f"# comment\n\ng:a:1.2:linux {'0' * 64}\n")
    assert [jar.file_name for jar in locked_jars(lock)] == ["a-1.2-linux.jar"]


def test_an_intact_jar_is_returned_without_any_fetching(tmp_path: Path) -> None:
    jar = placed(tmp_path, b"bytes", b"bytes")
    assert jars_present(tmp_path, [jar]) == [jars_folder(tmp_path) / "thing-1.0.jar"]


def test_a_jar_with_one_other_byte_is_refused_by_name(tmp_path: Path) -> None:
    jar = placed(tmp_path, b"bytez", b"bytes")
    with pytest.raises(ArtefactRefused, match=r"thing-1\.0\.jar"):
        jars_present(tmp_path, [jar])


def test_a_missing_jar_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtefactRefused, match="make setup"):
        jars_present(tmp_path)


def test_a_fetched_jar_with_other_bytes_than_locked_is_refused_and_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Artifact:
        def __init__(self, scratch: Path) -> None:
            self._scratch = scratch

        def resolve(self) -> Path:
            path = self._scratch / "fetched.jar"
            path.write_bytes(b"evil")
            return path

    class Context:
        def __init__(self, repo_cache: Path, timeout: int) -> None:
            self._scratch = repo_cache

        def project(self, group: str, artifact: str) -> "Context":
            return self

        def at_version(self, version: str) -> "Context":
            return self

        def artifact(self, classifier: str) -> Artifact:
            return Artifact(self._scratch)

    jar = LockedJar("org.example", "thing", "1.0", "", hashlib.sha256(b"good").hexdigest())
    monkeypatch.setattr("jgo.maven.MavenContext", Context)
    monkeypatch.setattr("loopwright.localmesh.jars.locked_jars", lambda: [jar])
    with pytest.raises(ArtefactRefused, match="other bytes"):
        ensure_jars(tmp_path)
    assert list(jars_folder(tmp_path).iterdir()) == []
