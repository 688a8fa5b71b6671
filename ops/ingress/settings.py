"""Which webhook endpoints there are: from a TOML file or a variable; what is wrong is told by field, never shown.

    # the file that COUNTERFOIL_WEBHOOKS_FILE names
    [[endpoints]]
    provider = "stripe"
    account = "main"
    tenant = "acme"
    secrets = ["whsec_...", "whsec_..."]    # both are good while one replaces the other

COUNTERFOIL_WEBHOOKS holds the same list as JSON; both together are one list.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from producers.ingress.limits import Limits
from producers.providers.webhooks import Endpoint
from schemas.envelope import Tenant

PATH_SEGMENT: Final = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"


class IngressSettingsError(Exception):
    """The settings cannot be used; the message names the field and holds no value."""


class EndpointSettings(BaseModel):
    """One endpoint: `POST /webhooks/{provider}/{account}`."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    provider: Annotated[str, Field(max_length=63, pattern=PATH_SEGMENT)]
    account: Annotated[str, Field(max_length=63, pattern=PATH_SEGMENT)]
    tenant: Tenant
    secrets: Annotated[tuple[SecretStr, ...], Field(min_length=1, max_length=8)]

    def endpoint(self) -> Endpoint:
        """As the ingress knows it."""
        return Endpoint(self.provider, self.account, self.tenant, self.secrets)


class EndpointFile(BaseModel):
    """The file."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    endpoints: tuple[EndpointSettings, ...]


class IngressSettings(BaseSettings):
    """What only the ingress needs to know."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", hide_input_in_errors=True)

    counterfoil_ingress_host: str = "127.0.0.1"
    counterfoil_ingress_port: Annotated[int, Field(ge=0, le=65535)] = 8482
    counterfoil_webhooks: tuple[EndpointSettings, ...] = ()
    counterfoil_webhooks_file: Path | None = None
    counterfoil_ingress_body_bytes: Annotated[int, Field(ge=1, le=16 * 2**20)] = Limits().body_bytes
    counterfoil_ingress_connections: Annotated[int, Field(ge=1)] = Limits().connections

    def limits(self) -> Limits:
        """What one request and all together may cost."""
        return Limits(
            body_bytes=self.counterfoil_ingress_body_bytes, connections=self.counterfoil_ingress_connections
        )

    def endpoints(self) -> list[Endpoint]:
        """All of them.

        Raises:
            IngressSettingsError: there are none, or the file cannot be used.
        """
        found = list(self.counterfoil_webhooks)
        if self.counterfoil_webhooks_file is not None:
            found += _read(self.counterfoil_webhooks_file).endpoints
        if not found:
            raise IngressSettingsError(
                "no webhook endpoint is configured: set COUNTERFOIL_WEBHOOKS_FILE or COUNTERFOIL_WEBHOOKS"
            )
        return [one.endpoint() for one in found]


def load() -> IngressSettings:
    """The settings of this process.

    Raises:
        IngressSettingsError: one of them cannot be used.
    """
    try:
        return IngressSettings()
    except ValidationError as error:
        raise IngressSettingsError(_told(error)) from None
    except SettingsError:
        # Its message and causes may quote what was to be parsed.
        raise IngressSettingsError("counterfoil_webhooks: not a JSON list of endpoints") from None


def _read(file: Path) -> EndpointFile:
    try:
        document: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
        return EndpointFile.model_validate(document)
    except OSError as error:
        raise IngressSettingsError(f"counterfoil_webhooks_file: {file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise IngressSettingsError(f"{file}: not UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise IngressSettingsError(f"{file}: not TOML: {error}") from None
    except ValidationError as error:
        raise IngressSettingsError(f"{file}: {_told(error)}") from None


def _told(error: ValidationError) -> str:
    problems = error.errors(include_input=False, include_url=False, include_context=False)
    return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in problems)
