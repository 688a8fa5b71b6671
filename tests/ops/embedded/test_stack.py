"""What a running stack offers: endpoints, settings, roles, and a restart of what dies."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import asyncpg
import pytest

from ops.embedded import Stack
from tests.ops.embedded.clients import remember, remembered

if TYPE_CHECKING:
    from ops.embedded import ServiceName


async def test_up_gives_usable_endpoints(stack: Stack) -> None:
    endpoints = stack.endpoints()
    await remember(endpoints, "usable")
    assert "usable" in await remembered(endpoints)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("server_version_num", "18"),
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("data_checksums", "on"),
        ("shared_buffers", "512MB"),
        ("max_connections", "200"),
        ("TimeZone", "UTC"),
        ("server_encoding", "UTF8"),
        ("listen_addresses", "127.0.0.1"),
    ],
)
async def test_postgres_is_durable_and_local(stack: Stack, setting: str, value: str) -> None:
    connection = await asyncpg.connect(stack.endpoints().admin_url)
    found = await connection.fetchval("SELECT current_setting($1)", setting)
    await connection.close()
    assert found.startswith(value)


async def test_the_roles_of_application_and_readers_can_log_in_and_are_no_superusers(stack: Stack) -> None:
    for url in (stack.endpoints().database_url, stack.endpoints().read_url):
        connection = await asyncpg.connect(url)
        assert await connection.fetchval("SELECT current_setting('is_superuser')") == "off"
        assert await connection.fetchval("SELECT current_database()") == "counterfoil"
        await connection.close()


async def test_a_wrong_password_is_refused(stack: Stack) -> None:
    url = stack.endpoints().admin_url
    password = url.split(":")[2].split("@")[0]
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(url.replace(password, "guess"))


def test_passwords_are_readable_for_the_owner_only(stack: Stack) -> None:
    assert (stack.folder.root / "passwords.json").stat().st_mode & 0o777 == 0o600


def test_a_second_up_changes_nothing(stack: Stack) -> None:
    before = stack.pids()
    assert Stack(stack.folder.root).up() == stack.endpoints()
    assert stack.pids() == before


def test_status_tells_what_runs(stack: Stack) -> None:
    status = stack.status()
    assert status.running
    assert {name: service.pid for name, service in status.services.items()} == stack.pids()
    for service in status.services.values():
        assert service.ready
        assert (service.uptime_seconds or 0) > 0
        assert service.data_bytes > 0
    assert status.services["postgres"].version == "18.4"


@pytest.mark.parametrize("service", ["postgres", "kafka"])
def test_a_killed_service_comes_back_on_its_port_with_its_data(stack: Stack, service: ServiceName) -> None:
    endpoints = stack.endpoints()
    asyncio.run(remember(endpoints, f"before {service} was killed"))
    restarts = stack.status().services[service].restarts
    killed = stack.kill(service)
    assert stack.up() == endpoints
    assert stack.pids()[service] != killed
    assert stack.status().services[service].restarts == restarts + 1
    assert f"before {service} was killed" in asyncio.run(remembered(endpoints))
