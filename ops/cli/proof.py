"""Commands that prove history: verify, replay; and its hash chain: chain run, chain seal, chain export."""

from __future__ import annotations

import asyncio
import sys
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import asyncpg
import structlog
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from ops.endpoints import places
from ops.inspect.screen import act, ask, fail, show, show_json
from ops.inspect.words import printable
from ops.rebuild import ReplayTroubleError
from ops.rebuild import replay as rebuild
from ops.roles import run_roles
from ops.settings import Settings
from ops.verify import export_heads, read_heads
from ops.verify import verify as verify_chain
from ops.verify.heads import MAX_FILE_BYTES, HeadsUnusableError
from ops.verify.keys import ChainKeys
from producers.chain.builder import ChainAheadError, run_chain, seal
from producers.chain.keys import KeyUnusableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ops.endpoints import Places
    from ops.metrics import Telemetry
    from ops.rebuild import Outcome
    from ops.verify import Head, Verdict

log = structlog.get_logger()
commands = typer.Typer()
chain = typer.Typer(help="The hash chain over the journal.", no_args_is_help=True)
commands.add_typer(chain, name="chain")

Tenant = Annotated[str | None, typer.Option(help="Only this tenant's.")]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


@commands.command()
def verify(
    tenant: Tenant = None,
    head: Annotated[
        list[Path] | None, typer.Option(help="A file of `chain export`: history up to it must be the same.")
    ] = None,
    public_keys: Annotated[
        Path | None, typer.Option(help="PEM file of the keys whose signatures count; else by the settings.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Compare the book with its hash chain, and the chain with exported heads. Exit 1 names what was changed."""
    try:
        keys = ChainKeys().believed(public_keys)
        heads = [found for path in head or () for found in read_heads(_read(path), keys).heads]
    except (KeyUnusableError, HeadsUnusableError) as error:
        fail(str(error), code=2)
    with _progress("verified") as progress:
        verdict = ask(
            lambda connection: verify_chain(
                connection, tenant=tenant, heads=heads, keys=keys, progress=progress
            )
        )
    if as_json:
        show_json(asdict(verdict) | {"ok": verdict.ok})
    else:
        _show_verdict(verdict, heads)
    if not verdict.ok:
        raise typer.Exit(1)


@commands.command()
def replay(
    *,
    keep: Annotated[bool, typer.Option(help="Leave the scratch database, to look into it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Rebuild states, entries and balances from the raw messages in a scratch database, and compare.

    Exit 1 names what differs. Needs the right to create a database (DATABASE_ADMIN_URL).
    """
    at = places(Settings())
    with _progress("replayed") as progress:
        try:
            outcome = asyncio.run(rebuild(at.database_url, at.admin_url, keep=keep, progress=progress))
        except (ReplayTroubleError, asyncpg.PostgresError, OSError) as error:
            fail(f"{type(error).__name__}: {error}", code=2)
    if as_json:
        show_json(asdict(outcome) | {"ok": outcome.ok})
    else:
        _show_outcome(outcome)
    if not outcome.ok:
        raise typer.Exit(1)


@chain.command("seal")
def seal_chain() -> None:
    """Build the blocks that are due, once: what the role does all the time."""

    async def until_done(connection: Any, _: str) -> tuple[int, int]:
        entries = blocks = 0
        while (done := await seal(connection, signer))[0]:
            entries, blocks = entries + done[0], blocks + done[1]
        return entries, blocks

    try:
        signer = ChainKeys().signer()
        entries, blocks = act(until_done)
    except (KeyUnusableError, ChainAheadError) as error:
        fail(str(error), code=2)
    typer.echo(f"{entries:,} entries sealed in {blocks:,} blocks{'' if signer else ', not signed: no key'}")


@chain.command("run")
def run_builder() -> None:
    """Build blocks until told to stop; any number may run, one at a time builds."""
    try:
        signer = ChainKeys().signer()
    except KeyUnusableError as error:
        fail(str(error), code=2)

    async def build(_: Settings, at: Places, telemetry: Telemetry, stop: asyncio.Event) -> None:
        await run_chain(at.database_url, Sealing(telemetry), stop, signer)

    run_roles("chain", [build], Settings())


class Sealing:
    """Tells the log what was sealed, and health that the builder gets on."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry

    def sealed(self, entries: int, blocks: int) -> None:
        """A round is over; nothing to seal is not worth a line."""
        self._telemetry.alive()
        if blocks:
            log.info("sealed", entries=entries, blocks=blocks)


@chain.command("export")
def export_chain(
    file: Annotated[Path | None, typer.Argument(help="Where to; without it, to the screen.")] = None,
    tenant: Tenant = None,
) -> None:
    """Write the end of each tenant's chain as JSON, signed when there is a key. Keep it away from this database."""
    try:
        signer = ChainKeys().signer()
    except KeyUnusableError as error:
        fail(str(error), code=2)
    heads = ask(lambda connection: export_heads(connection, tenant, signer))
    if not heads.heads:
        fail("no entry is in a block yet; see `counterfoil chain seal`")
    written = heads.model_dump_json(indent=2)
    if file is None:
        typer.echo(written)
        return
    file.write_text(written + "\n", encoding="utf-8")
    signed = f"signed by key {heads.key_id}" if heads.key_id else "not signed: no key"
    typer.echo(f"{len(heads.heads)} heads written to {file}, {signed}")


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as opened:
            return opened.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise HeadsUnusableError(f"{path}: {error.strerror}") from None


@contextmanager
def _progress(verb: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on the error stream where that is a terminal."""
    columns = (TextColumn(verb), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, disable=not sys.stderr.isatty(), transient=True) as bar:
        task = bar.add_task(verb, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _show_verdict(verdict: Verdict, heads: list[Head]) -> None:
    for finding in verdict.findings:
        show(Text(printable(finding.told), "red"))
    if verdict.broken > len(verdict.findings):
        show(f"and {verdict.broken - len(verdict.findings):,} more")
    looked = f"{verdict.entries:,} entries in {verdict.blocks:,} blocks, {len(heads)} exported heads"
    later = f"; {verdict.unsealed:,} entries are not in a block yet" if verdict.unsealed else ""
    judged = "unchanged" if verdict.ok else f"CHANGED, {verdict.broken:,} findings"
    show(Text(f"{looked}: {judged}{later}", "green" if verdict.ok else "bold red"))


def _show_outcome(outcome: Outcome) -> None:
    for part in outcome.parts:
        judged = "identical" if not part.broken else f"{part.broken:,} DIFFER"
        show(Text(f"{part.name}: {part.rows:,} rows, {judged}", "red" if part.broken else "green"))
        for difference in part.differences:
            show(Text(f"  {printable(difference)}"))
    made = f"{outcome.messages:,} messages in {outcome.batches:,} batches replayed"
    kept = f"; kept in database {outcome.database}" if outcome.database else ""
    judged = "identical" if outcome.ok else "NOT THE SAME"
    show(Text(f"{made}: {judged}{kept}", "green" if outcome.ok else "bold red"))
