"""Kafka's jars, from a registry on loopback that serves what the machine's own Maven repository holds."""

from __future__ import annotations

import threading
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from jgo.constants import default_maven_repo

from ops.embedded.jars import kafka_jars

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Registry(ThreadingHTTPServer):
    """Serves files, and remembers for which ones it was asked."""

    def __init__(self, root: Path) -> None:
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), partial(_Handler, directory=str(root)))


class _Handler(SimpleHTTPRequestHandler):
    server: Registry

    def log_request(self, *_: object) -> None:
        """Remember the path instead of printing it."""
        self.server.asked.append(self.path)

    def log_error(self, *_: object) -> None:
        """Say nothing of files that are not there: the local repository keeps no checksums."""


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    """A registry with Kafka's files, in front of an empty local repository."""
    kafka_jars(print)
    with Registry(default_maven_repo()) as server:
        threading.Thread(target=server.serve_forever).start()
        monkeypatch.setenv("COUNTERFOIL_MAVEN_URL", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.setenv("M2_REPO", str(tmp_path))
        yield server
        server.shutdown()


def test_files_are_downloaded_once_and_torn_ones_again(registry: Registry) -> None:
    steps: list[str] = []
    jars = kafka_jars(steps.append)
    assert len(jars) > 40
    assert all(zipfile.is_zipfile(jar) for jar in jars)
    assert len(steps) == 1 + len(jars)

    registry.asked.clear()
    assert kafka_jars(steps.append) == jars
    assert registry.asked == []

    jar = next(jar for jar in jars if jar.name.startswith("kafka-clients"))
    for torn in (jar, jar.with_suffix(".pom")):
        torn.write_bytes(torn.read_bytes()[:1000])
        registry.asked.clear()
        assert kafka_jars(steps.append) == jars
        assert {path.rsplit("/", 1)[-1].removesuffix(".sha1") for path in registry.asked} == {torn.name}
    assert zipfile.is_zipfile(jar)
