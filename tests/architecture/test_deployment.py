"""The ways to run it in containers: valid to the tools that read them, and as careful as they claim."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from ops.ingress.role import SCHEMES
from ops.ingress.settings import EndpointSettings, IngressSettings
from producers.ingress.endpoints import served
from tests.architecture.tree import ROOT

COMPOSE = ROOT / "compose.yaml"
KUBERNETES = ROOT / "deploy" / "kubernetes"
ROLES = {
    "worker": ["worker"],
    "relay": ["relay"],
    "scheduler": ["scheduler"],
    "gateway": ["gateway"],
    "ingress": ["ingress"],
    "chain": ["chain", "run"],
}
"""Role -> its command."""
SECRETS = {
    "COUNTERFOIL_STRIPE_API_KEY": {"gateway"},
    "COUNTERFOIL_ADYEN_API_KEY": {"gateway"},
    "COUNTERFOIL_SANDBOX_API_KEY": {"gateway", "sandbox"},
    "DATABASE_ADMIN_URL": {"migrate"},
    "COUNTERFOIL_WEBHOOKS": {"ingress"},
    "COUNTERFOIL_WEBHOOKS_FILE": {"ingress"},
    "COUNTERFOIL_CHAIN_KEY": {"chain"},
    "COUNTERFOIL_SANDBOX_WEBHOOK_SECRET": {"sandbox"},
}
"""Secret -> the only ones that may know it."""


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


def manifests() -> list[dict[str, Any]]:
    """The documents of the cluster's base, and of the sandbox beside it."""
    base = KUBERNETES / "base"
    names = yaml.safe_load((base / "kustomization.yaml").read_text())["resources"]
    texts = [
        *((base / name).read_text() for name in names),
        (KUBERNETES / "sandbox" / "sandbox.yaml").read_text(),
    ]
    return [document for text in texts for document in yaml.safe_load_all(text)]


def containers() -> dict[str, dict[str, Any]]:
    """Deployment -> its container."""
    return {
        document["metadata"]["name"]: document["spec"]["template"]["spec"]["containers"][0]
        for document in manifests()
        if document["kind"] == "Deployment"
    }


def knowing() -> list[tuple[str, set[str]]]:
    """Who is given which variables: services of compose, and deployments of the cluster by their own."""
    return [
        *((name, set(service.get("environment", {}))) for name, service in services().items()),
        *(
            (name, {one["name"] for one in container.get("env", [])})
            for name, container in containers().items()
        ),
    ]


def test_a_secret_is_known_to_those_who_need_it_only() -> None:
    told = {(secret, name) for name, names in knowing() for secret in SECRETS if secret in names}
    assert {(secret, name) for secret, name in told if name not in SECRETS[secret]} == set()
    assert {secret for secret, _ in told} == set(SECRETS)


def test_every_file_that_is_mounted_is_there() -> None:
    mounts = [mount.split(":")[0] for service in services().values() for mount in service.get("volumes", [])]
    files = [mount for mount in mounts if mount.startswith("./")]
    assert files
    assert [path for path in files if not (ROOT / path).exists()] == []


def test_every_password_can_be_set_in_the_example_of_an_environment() -> None:
    used = set(re.findall(r"\$\{(\w+)", COMPOSE.read_text()))
    # A name without a value is taken from the environment as it is.
    used |= {
        name
        for service in services().values()
        for name, text in service.get("environment", {}).items()
        if text is None
    }
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
    deployed = {name: one["args"] for name, one in containers().items() if name != "sandbox"}
    assert deployed == ROLES
    assert {role: services()[role]["command"] for role in ROLES} == deployed


def test_prometheus_looks_at_every_role() -> None:
    configured = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yaml").read_text())
    (job,) = configured["scrape_configs"]
    assert {name for at in job["dns_sd_configs"] for name in at["names"]} == set(ROLES)


def test_the_sandbox_and_the_ingress_agree_on_the_endpoint_and_its_secret() -> None:
    ingress, sandbox = services()["ingress"], services()["sandbox"]
    secret = sandbox["environment"]["COUNTERFOIL_SANDBOX_WEBHOOK_SECRET"]
    assert f'"{secret}"' in ingress["environment"]["COUNTERFOIL_WEBHOOKS"]
    (default,) = re.findall(r":-(whsec_\S+)\}", secret)
    listed = re.sub(r"^\$\{\w+:-(.*)\}$", r"\1", ingress["environment"]["COUNTERFOIL_WEBHOOKS"]).replace(
        secret, default
    )
    (endpoint,) = IngressSettings(counterfoil_webhooks=json.loads(listed)).endpoints()
    path = f"/webhooks/{endpoint.provider}/{endpoint.account}"
    for arguments in (sandbox["command"], containers()["sandbox"]["args"]):
        assert arguments[-1] == f"http://ingress:8482{path}"
    served([endpoint], SCHEMES)


def test_the_example_of_the_endpoints_secret_is_read() -> None:
    example = yaml.safe_load_all((KUBERNETES / "secret.example.yaml").read_text())
    (file,) = [
        document["stringData"]["webhooks.toml"]
        for document in example
        if "webhooks" in document["metadata"]["name"]
    ]
    (listed,) = tomllib.loads(file)["endpoints"]
    assert EndpointSettings.model_validate(listed).endpoint().provider in SCHEMES


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
