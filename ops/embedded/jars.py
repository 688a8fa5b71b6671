"""Apache Kafka as Maven artifacts: found in the local repository, downloaded when they are not there."""

from __future__ import annotations

import fcntl
import os
import zipfile
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from jgo.constants import MAVEN_CENTRAL_URL, default_maven_repo
from jgo.maven import MavenContext
from jgo.parse import Coordinate

from ops.embedded.errors import EmbeddedStackError
from ops.embedded.kafka import KAFKA_VERSION

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from jgo.maven import Artifact

SLF4J_VERSION = "1.7.36"  # the one Kafka is compiled with
WANTED = (
    Coordinate("org.apache.kafka", "kafka_2.13", KAFKA_VERSION, scope="compile"),
    Coordinate("org.slf4j", "slf4j-simple", SLF4J_VERSION, scope="compile"),
)
DOWNLOADS_AT_ONCE = 8


def kafka_jars(progress: Callable[[str], None]) -> list[Path]:
    """All jars that the broker needs on its class path.

    They live in Maven's local repository (M2_REPO, by default ~/.m2/repository); when all are there, no
    network is used. Else they are downloaded from COUNTERFOIL_MAVEN_URL, by default Maven Central.

    Raises:
        EmbeddedStackError: they are not there and could not be downloaded.
    """
    repository = default_maven_repo()
    repository.mkdir(parents=True, exist_ok=True)
    with (repository / ".counterfoil.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two first starts at once would write the same files
        try:
            return [_whole(artifact) for artifact in _resolve(MavenContext(offline=True))]
        except RuntimeError:
            return _download(repository, progress)
        except ET.ParseError:
            _drop_torn_poms(repository)
            return _download(repository, progress)


def _download(repository: Path, progress: Callable[[str], None]) -> list[Path]:
    source = os.environ.get("COUNTERFOIL_MAVEN_URL", MAVEN_CENTRAL_URL).rstrip("/")
    progress(f"resolving Kafka {KAFKA_VERSION} from {source}")
    try:
        artifacts = _resolve(MavenContext(remote_repos={"maven": source}))
        jars = _fetch(artifacts, progress)
    except (OSError, RuntimeError) as error:
        raise EmbeddedStackError(_instead(source, repository, error)) from error
    return jars


def _fetch(artifacts: list[Artifact], progress: Callable[[str], None]) -> list[Path]:
    with ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool:
        jars = [pool.submit(_whole, artifact) for artifact in artifacts]
        try:
            for done, jar in enumerate(as_completed(jars), start=1):
                progress(f"resolving Kafka {KAFKA_VERSION}: {done} of {len(jars)} jars, {jar.result().name}")
        except BaseException:  # also a Ctrl-C: what has not begun is not needed any more
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [jar.result() for jar in jars]


def _resolve(context: MavenContext) -> list[Artifact]:
    # Not jgo.build(): to sort jars into class path and module path it would download a JDK of its own.
    inputs, transitive = context.resolver.resolve([context.create_dependency(wanted) for wanted in WANTED])
    needed = (dependency for dependency in transitive if dependency.scope in {"compile", "runtime"})
    return [dependency.artifact for dependency in (*inputs, *needed)]


def _drop_torn_poms(repository: Path) -> None:
    """Forget what an interrupted download left: it would be taken for the whole file for ever."""
    for pom in repository.rglob("*.pom"):
        try:
            ET.parse(pom)  # noqa: S314  jgo has parsed it already
        except ET.ParseError:
            pom.unlink()


def _whole(artifact: Artifact) -> Path:
    """The artifact's file, downloaded again when an interrupted download left only a part of it."""
    jar = artifact.resolve()
    if not zipfile.is_zipfile(jar):
        jar.unlink()
        jar = artifact.resolve()
        if not zipfile.is_zipfile(jar):
            raise RuntimeError(f"what is served as {jar.name} is no jar")
    return jar


def _instead(source: str, repository: Path, error: Exception) -> str:
    return f"""\
Apache Kafka {KAFKA_VERSION} could not be downloaded.
  tried:        {source}
  it answered:  {error}
  kept in:      {repository} (M2_REPO names another folder)
Either give access to a Maven repository: COUNTERFOIL_MAVEN_URL names a mirror, HTTPS_PROXY a proxy.
Or use servers of your own instead of the embedded stack:
  KAFKA_BOOTSTRAP_SERVERS=host:9092
  DATABASE_URL=postgresql://counterfoil_app:password@host:5432/counterfoil
  DATABASE_ADMIN_URL=postgresql://postgres:password@host:5432/counterfoil"""
