"""The ways to run it in containers: valid to the tools that read them, and as careful as they claim."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.architecture.tree import ROOT

COMPOSE = ROOT / "compose.yaml"
KUBERNETES = ROOT / "deploy" / "kubernetes"
ROLES = {"worker", "relay", "scheduler", "gateway"}


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """A command at the project's root, with its output."""
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def schema_errors(schema: str, path: Path) -> str:
    """What a published JSON schema has against a file; nothing when it is valid."""
    checker = Path(sys.executable).with_name("check-jsonschema")
    done = run(checker, "--builtin-schema", schema, path)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def services() -> dict[str, dict[str, Any]]:
    """The services of compose.yaml."""
    found: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE.read_text())["services"]
    return found


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ("vendor.compose-spec", COMPOSE),
        ("vendor.github-workflows", ROOT / ".github" / "workflows" / "ci.yml"),
    ],
    ids=["compose", "workflow"],
)
def test_a_file_for_another_tool_fits_its_schema(schema: str, path: Path, tmp_path: Path) -> None:
    assert schema_errors(schema, path) == ""
    broken = tmp_path / path.name
    broken.write_text(path.read_text() + "\nsurprise: 1\n")
    assert "surprise" in schema_errors(schema, broken)


def test_docker_compose_reads_it() -> None:
    if shutil.which("docker") is None or run("docker", "compose", "version").returncode != 0:
        pytest.skip("docker compose is not installed")
    done = run("docker", "compose", "--file", COMPOSE, "config", "--quiet")
    assert done.returncode == 0, done.stderr


def test_every_service_but_the_migration_says_when_it_is_well() -> None:
    assert [name for name, service in services().items() if "healthcheck" not in service] == ["migrate"]


def test_every_port_listens_on_this_machine_only() -> None:
    ports = [port for service in services().values() for port in service.get("ports", [])]
    assert ports
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_only_the_migration_knows_the_owner_of_the_tables() -> None:
    knowing = {
        name for name, service in services().items() if "DATABASE_ADMIN_URL" in service.get("environment", {})
    }
    assert knowing == {"migrate"}


def test_every_file_that_is_mounted_is_there() -> None:
    mounts = [mount.split(":")[0] for service in services().values() for mount in service.get("volumes", [])]
    files = [mount for mount in mounts if mount.startswith("./")]
    assert files
    assert [path for path in files if not (ROOT / path).exists()] == []


def test_every_password_can_be_set_in_the_example_of_an_environment() -> None:
    used = set(re.findall(r"\$\{(\w+)", COMPOSE.read_text()))
    offered = set(re.findall(r"^#?(\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert used == offered


def test_containers_and_the_embedded_stack_run_one_kafka() -> None:
    embedded = re.search(r'KAFKA_VERSION = "([\d.]+)"', (ROOT / "ops" / "embedded" / "kafka.py").read_text())
    assert embedded is not None
    assert services()["kafka"]["image"] == f"apache/kafka:{embedded[1]}"


def test_the_image_is_built_from_the_lock_and_runs_as_nobody() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert text.count("--require-hashes") == text.count("pip install") - 1, "only our own wheel has no hash"
    assert re.search(r"^USER 10001:10001$", text, re.MULTILINE)


def test_compose_and_the_cluster_run_the_same_roles() -> None:
    resources = yaml.safe_load((KUBERNETES / "base" / "kustomization.yaml").read_text())["resources"]
    manifests = [yaml.safe_load((KUBERNETES / "base" / name).read_text()) for name in resources]
    deployed = {
        manifest["metadata"]["name"]: manifest["spec"]["template"]["spec"]["containers"][0]["args"]
        for manifest in manifests
        if manifest["kind"] == "Deployment"
    }
    assert deployed == {role: [role] for role in ROLES}
    assert {role: services()[role]["command"] for role in ROLES} == deployed


@pytest.mark.parametrize("overlay", ["base", "sandbox"])
def test_every_pod_is_restricted(overlay: str) -> None:
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed")
    done = run("kubectl", "kustomize", KUBERNETES / overlay)
    assert done.returncode == 0, done.stderr
    pods = [
        doc["spec"]["template"]["spec"]
        for doc in yaml.safe_load_all(done.stdout)
        if doc["kind"] in {"Deployment", "Job"}
    ]
    assert pods
    for pod in pods:
        [container] = pod["containers"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["limits"]["memory"]
        if pod.get("restartPolicy") != "Never":
            assert {"livenessProbe", "readinessProbe"} <= set(container)
