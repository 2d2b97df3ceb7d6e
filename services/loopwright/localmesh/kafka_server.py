"""A single real Kafka broker (KRaft, broker and controller in one process) on loopback, in its own folder.

In: a folder and, to come back under the same address, a port. Out: a broker that answers metadata requests. The mesh's
supervisor and the tests' fixtures call it. A folder that was formatted before is taken up again with its log.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import uuid
from base64 import urlsafe_b64encode
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from loopwright.localmesh.failures import ServerDidNotStart
from loopwright.localmesh.jars import jars_present
from loopwright.localmesh.java import find_java
from loopwright.localmesh.paths import cache_dir
from loopwright.localmesh.ports import LOOPBACK, free_ports, is_listening
from loopwright.localmesh.process import ManagedProcess, ProcessRecord, ProcessSpec

HEAP_MB = 384  # 256 is enough for a small log (measured); the rest is for fetches of funnel chunks
START_WITHIN_S = 60.0
STOP_GRACE_S = 20.0
FORMAT_TIMEOUT_S = 60.0
PROBE_TIMEOUT_MS = 1_000

# C1 only and the serial collector: the broker is ready in half the time and takes 160 MB, and a mesh on one machine
# never comes near what they cost in throughput.
JVM_FLAGS = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:+ExitOnOutOfMemoryError", "-Djava.awt.headless=true")

SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    # one broker holds one copy of everything
    "default.replication.factor": "1",
    "min.insync.replicas": "1",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.num.partitions": "1",
    # topics are made from their declaration only, never by a typing error
    "auto.create.topics.enable": "false",
    # event time as record time lets the broker refuse or delete an import of old events
    "log.message.timestamp.type": "LogAppendTime",
    "message.max.bytes": "2097152",
    "replica.fetch.max.bytes": "2097152",
    "group.initial.rebalance.delay.ms": "0",
    # measured: a restart after SIGKILL takes 4.5 s with these and 11.4 s with the defaults
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    "log.cleaner.dedupe.buffer.size": "4000000",
    "num.network.threads": "2",
    "num.io.threads": "4",
    "num.recovery.threads.per.data.dir": "2",
    "num.partitions": "1",
}


class KafkaServer:
    """One broker in one folder; its topics and offsets survive a stop, a kill and a start on that folder."""

    name = "kafka"

    def __init__(
        self, folder: Path, *, port: int | None = None, cache: Path | None = None, log_file: Path | None = None
    ) -> None:
        self._folder = folder
        self._cache = cache or cache_dir()
        self.port = port if port is not None else free_ports(1)[0]
        self._log_file = log_file or folder / "kafka.log"
        self._process: ManagedProcess | None = None

    @property
    def bootstrap(self) -> str:
        """The address clients bootstrap from, `host:port`."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def exit_code(self) -> int | None:
        """The process's exit code; None while it runs and before its first start."""
        return self._process.exit_code if self._process else None

    @property
    def process(self) -> ManagedProcess:
        """The running broker's process.

        Raises:
            ServerDidNotStart: it was never started.
        """
        if self._process is None:
            raise ServerDidNotStart("the broker was not started")
        return self._process

    async def start(self) -> ProcessRecord:
        """Format the folder if it is new, spawn the broker, return when it answers a metadata request.

        Raises:
            ArtefactRefused: a jar is missing or not as locked.
            ServerNotFound: no Java of 17 or newer.
            ServerDidNotStart: formatting failed, or the broker ended or did not answer in time.
        """
        await self.stop()  # a start after a crash reaps what crashed
        command = await asyncio.to_thread(self._prepare)  # hashes 46 MB and may run the formatting tool
        self._process = ManagedProcess(ProcessSpec(self.name, command, self._folder, self._log_file))
        record = self._process.start()
        try:
            await self._process.wait_ready(self.answers, START_WITHIN_S)
        except BaseException:
            await self.stop()
            raise
        return record

    async def stop(self) -> bool:
        """End the broker: a controlled shutdown, killed after its grace; say whether it ended by itself."""
        return self._process is None or await self._process.stop(STOP_GRACE_S)

    def send(self, number: signal.Signals) -> ProcessRecord | None:
        """Send a signal to the broker's process group and return whom it reached, None when nothing runs."""
        return self._process.send(number) if self._process else None

    async def answers(self) -> bool:
        """Say whether the broker answers a metadata request with itself as a live node."""
        if not await is_listening(self.port):
            return False  # an open port first: the client logs a failure for every attempt
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap, request_timeout_ms=PROBE_TIMEOUT_MS)
        try:
            await admin.start()
            cluster = await admin.describe_cluster()
            return len(cluster["brokers"]) == 1
        except (KafkaError, OSError):
            return False
        finally:
            await admin.close()

    def _prepare(self) -> list[str]:
        self._folder.mkdir(parents=True, exist_ok=True)
        classpath = os.pathsep.join(str(jar) for jar in jars_present(self._cache))
        java = str(find_java())
        properties = self._write_properties()
        if not (self._folder / "data" / "meta.properties").exists():
            self._format(java, classpath, properties)
        heap = [f"-Xmx{HEAP_MB}m", f"-Xms{HEAP_MB // 2}m"]
        return [java, *heap, *JVM_FLAGS, "-cp", classpath, "kafka.Kafka", str(properties)]

    def _write_properties(self) -> Path:
        # The controller's port is nobody's but this process's; with a static voter it may differ at every start.
        controller = f"{LOOPBACK}:{free_ports(1)[0]}"
        settings = {
            **SETTINGS,
            "log.dirs": str(self._folder / "data"),
            "listeners": f"PLAINTEXT://{self.bootstrap},CONTROLLER://{controller}",
            "advertised.listeners": f"PLAINTEXT://{self.bootstrap}",
            "controller.quorum.voters": f"1@{controller}",
        }
        path = self._folder / "server.properties"
        path.write_text("".join(f"{key}={value}\n" for key, value in settings.items()), "utf-8")
        return path

    def _format(self, java: str, classpath: str, properties: Path) -> None:
        cluster_id = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        arguments = ["format", "--ignore-formatted", "--cluster-id", cluster_id, "--config", str(properties)]
        command = [java, "-Xmx128m", *JVM_FLAGS, "-cp", classpath, "kafka.tools.StorageTool", *arguments]
        done = subprocess.run(
            command, cwd=self._folder, capture_output=True, text=True, timeout=FORMAT_TIMEOUT_S, check=False
        )
        if done.returncode != 0:
            raise ServerDidNotStart(f"formatting {self._folder} failed: {(done.stdout + done.stderr)[-2000:]}")
