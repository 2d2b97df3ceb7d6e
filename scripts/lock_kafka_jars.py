"""Write `services/loopwright/localmesh/kafka_jars.lock`: every jar of one Kafka version with its sha256.

Run it by hand to move to another Kafka version; what it writes is committed, and set-up refuses any other bytes.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
from pathlib import Path

import jgo
from jgo.maven import MavenContext

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "services" / "loopwright" / "localmesh" / "kafka_jars.lock"


def main() -> int:
    """Resolve the version given as the first argument and write the lock."""
    version = sys.argv[1]
    lines = [f"# Jars of Apache Kafka {version}: group:artifact:version[:classifier] sha256"]
    with tempfile.TemporaryDirectory() as scratch:
        context = MavenContext(repo_cache=Path(scratch), timeout=60)
        for artifact in jgo.resolve(f"org.apache.kafka:kafka_2.13:{version}"):
            parts = [artifact.groupId, artifact.artifactId, artifact.version]
            component = context.project(parts[0], parts[1]).at_version(parts[2])
            path = component.artifact(classifier=artifact.classifier).resolve()
            parts += [artifact.classifier] if artifact.classifier else []
            lines.append(f"{':'.join(parts)} {hashlib.sha256(path.read_bytes()).hexdigest()}")
    LOCK.write_text("\n".join([lines[0], *sorted(lines[1:])]) + "\n", "utf-8")
    print(f"locked {len(lines) - 1} jars")
    return 0


if __name__ == "__main__":
    sys.exit(main())
