"""`python -m ops.sandbox`: the sandbox provider as a process."""

from __future__ import annotations

from pathlib import Path  # typer reads the annotations
from typing import Annotated

import typer
from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from ops.sandbox.controls import registered
from ops.sandbox.faults import Patience
from ops.sandbox.messages import DAY_MS, EndpointRequest
from ops.sandbox.server import serve
from ops.sandbox.store import OtherVersionError


class Settings(BaseSettings):
    """What must not stand on a command line."""

    model_config = SettingsConfigDict(env_prefix="COUNTERFOIL_SANDBOX_")

    api_key: SecretStr
    webhook_secret: SecretStr | None = None


def main(  # noqa: PLR0913  # one parameter an option
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 0,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port_file: Annotated[
        Path | None, typer.Option(help="Write the port here as soon as it is served.")
    ] = None,
    state: Annotated[
        Path | None, typer.Option(help="SQLite file of the books; else they are in memory.")
    ] = None,
    late_ms: Annotated[int, typer.Option(min=0, help="How late tok_slow is answered.")] = 2_000,
    silence_ms: Annotated[int, typer.Option(min=1, help="Longest silence of a time-out token.")] = 120_000,
    day_ms: Annotated[int, typer.Option(min=1, help="How long a day lasts that a token waits.")] = DAY_MS,
    webhook_url: Annotated[str | None, typer.Option(help="Tell everything to this URL.")] = None,
) -> None:
    """A card processor to practise on: test tokens steer its outcomes. See docs/sandbox-provider.md."""
    try:
        settings = Settings()
    except ValidationError:
        raise typer.BadParameter(
            "set COUNTERFOIL_SANDBOX_API_KEY to the key that callers must show"
        ) from None
    try:
        endpoint = webhook_url and EndpointRequest(url=webhook_url, secret=settings.webhook_secret)
    except ValidationError as error:
        complaint = error.errors(include_input=False)[0]["msg"]
        raise typer.BadParameter(
            f"--webhook-url with COUNTERFOIL_SANDBOX_WEBHOOK_SECRET: {complaint}"
        ) from None

    def announce(host: str, port: int) -> None:
        if port_file is not None:
            # Renamed into place: a reader sees no file or a whole one.
            written = port_file.with_suffix(".new")
            written.write_text(f"{port}\n")
            written.rename(port_file)
        typer.echo(f"sandbox provider listening on http://{host}:{port}")

    try:
        serve(
            host,
            port,
            api_key=settings.api_key,
            state=state,
            patience=Patience(late_ms, silence_ms, day_ms),
            endpoint=registered(endpoint) if endpoint else None,
            announce=announce,
        )
    except OtherVersionError as error:
        raise typer.BadParameter(f"--state: {error}; name a new file") from None


if __name__ == "__main__":
    typer.run(main)
