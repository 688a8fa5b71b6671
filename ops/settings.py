"""Settings: from the environment, a `.env` file or a secrets folder; without them, the embedded stack's."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Everything that differs between installations. Secrets never show in its repr."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", secrets_dir=None)

    kafka_bootstrap_servers: str | None = None
    database_url: SecretStr | None = None
    database_admin_url: SecretStr | None = None
    database_read_url: SecretStr | None = None
    counterfoil_folder: Path = Path(".counterfoil")
    """Data, logs and passwords of the embedded stack."""
    counterfoil_sandbox_url: str = "http://127.0.0.1:8481"
    counterfoil_sandbox_api_key: SecretStr = SecretStr("sandbox-key-for-development")
    counterfoil_sandbox_read_timeout_ms: Annotated[int, Field(ge=1)] = 10_000
    """How long the gateway waits for the provider's next byte before the outcome is unknown."""
    counterfoil_stripe_api_key: SecretStr | None = None
    """Without a key, the gateway leaves this provider's calls to others."""
    counterfoil_stripe_url: str = "https://api.stripe.com"
    counterfoil_adyen_api_key: SecretStr | None = None
    counterfoil_adyen_merchant_account: str = ""
    counterfoil_adyen_checkout_url: str = "https://checkout-test.adyen.com"
    counterfoil_adyen_disputes_url: str = "https://ca-test.adyen.com"
    counterfoil_return_url: str = "https://shop.example/return"
    """Where a provider sends the customer after a challenge."""
    counterfoil_http_host: str = "127.0.0.1"
    counterfoil_http_port: Annotated[int, Field(ge=0, le=65535)] = 9464
    counterfoil_log_level: str = "info"
    counterfoil_instance: str | None = None
    """Static group membership: a restart within the session time-out moves no partitions."""
    counterfoil_batch_size: Annotated[int, Field(ge=1, le=10_000)] = 5000
    """Records of one transaction, at most."""
    counterfoil_upkeep_every_s: Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)] = 10
    """Pause between two rounds of the scheduler's upkeep of the books; 0 leaves it to the commands."""

    @property
    def external(self) -> bool:
        """Whether Kafka and PostgreSQL are somebody else's."""
        return self.kafka_bootstrap_servers is not None and self.database_url is not None
