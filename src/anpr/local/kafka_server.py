"""A real Kafka: one KRaft broker from the official jars."""

import base64
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from anpr.local import kafka_jars
from anpr.local.free_ports import free_ports
from anpr.local.server import Server, StartError

# Measured: with only the first compiler the broker starts in 1.4 s instead of 2.0 s. On two cores it also takes a
# fifth more messages a second, because it does not spend its first minute compiling.
JVM_OPTIONS = ["-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]
LOG_OPTIONS = [
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSZ",
]

PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={log_directory}
auto.create.topics.enable=false

# as on a port's broker: everything is allowed until somebody adds a rule
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=true

# one broker
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1

# for a quick start: fewer partitions to create, no wait for more group members
offsets.topic.num.partitions=1
transaction.state.log.num.partitions=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=3000

# after a crash the broker waits until its old registration has run out (9 s by default); with 2 s, a broker on a
# machine with far too much to do lost its own and led no partition: a heartbeat took 2.8 s there
broker.session.timeout.ms=5000
broker.heartbeat.interval.ms=500

# an idle controller writes a record as often as this; with the default of 500 ms a third of what an idle broker does
metadata.max.idle.interval.ms=5000

# the default takes 128 MB of memory at the start
log.cleaner.dedupe.buffer.size=4194304
"""


class KafkaServer(Server):
    """A broker on 127.0.0.1 that keeps its topics in `directory`. They survive a crash.

    Topics must be created before use. Its log is `broker.log` in the directory.

    Args:
        directory: An empty folder, or that of an earlier broker.
        java_options: Options of Java for this broker. Without any, it uses the archive of classes if there is one.
        ports: Its own and its controller's. Without them, any two that are free.

    Attributes:
        bootstrap: Its address for Kafka clients, the same after each start.
    """

    def __init__(self, directory: Path, java_options: Sequence[str] = (), ports: Sequence[int] = ()) -> None:
        self._java_options = java_options
        self._directory = directory.resolve()
        self._directory.mkdir(parents=True, exist_ok=True)
        super().__init__(log=self._directory / "broker.log")
        self._port, self._controller_port = ports or free_ports(2)
        self.bootstrap = f"127.0.0.1:{self._port}"

    def _command(self) -> list[str]:
        properties = self._directory / "server.properties"
        log_directory = self._directory / "logs"
        text = PROPERTIES.format(port=self._port, controller_port=self._controller_port, log_directory=log_directory)
        properties.write_text(text, "utf-8")
        archive = kafka_jars.class_archive()
        archive_options = [f"-XX:SharedArchiveFile={archive}"] if archive.exists() else []
        java = [kafka_jars.java(), *JVM_OPTIONS, *LOG_OPTIONS, "-cp", f"{kafka_jars.jars()}/*"]
        if not (log_directory / "meta.properties").exists():
            _format([*java, *archive_options], properties, log_directory)
        return [*java, *(self._java_options or archive_options), "kafka.Kafka", str(properties)]

    def _is_answering(self) -> bool:
        # A Kafka client retries a connection only now and then. A plain TCP connection shows immediately whether it
        # can connect.
        try:
            socket.create_connection(("127.0.0.1", self._port), timeout=1).close()
        except OSError:
            return False
        try:
            return bool(
                AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0}).list_topics(timeout=1).brokers
            )
        except KafkaException:
            return False


def _format(java: list[str], properties: Path, log_directory: Path) -> None:
    """Format the storage of a new broker. Kafka's tool does it once on a machine, and later brokers get a copy.

    The tool takes a second of a processor and writes 500 bytes. All brokers of a machine then have the same ids. Each
    is a cluster of its own, so nothing compares them.
    """
    formatted = kafka_jars.formatted_storage()
    if not formatted.exists():
        _run_storage_tool(java, properties)
        # Where the folder cannot be written, or another broker has just kept its own, nothing is lost.
        with suppress(OSError), tempfile.TemporaryDirectory(dir=formatted.parent) as scratch:
            shutil.copytree(log_directory, Path(scratch) / "storage").rename(formatted)
        return
    shutil.copytree(formatted, log_directory, dirs_exist_ok=True)


def _run_storage_tool(java: list[str], properties: Path) -> None:
    cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    # With "--cluster-id=", an id that begins with a dash is not taken for an option.
    command = [*java, "kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", "-c", str(properties)]
    result = subprocess.run(  # noqa: S603  the command above, no shell
        command, stdin=subprocess.DEVNULL, capture_output=True, check=False, text=True
    )
    if result.returncode != 0:
        raise StartError(f"Kafka's storage could not be formatted:\n{result.stdout}{result.stderr}")
