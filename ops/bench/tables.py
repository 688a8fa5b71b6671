"""The results as a person reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping


def payments(result: dict[str, Any]) -> Table:
    """Rate, ratio, where the processor time went, and whether it was all done."""
    events = result["events"]
    table = Table("recorded payments", "", title="counterfoil bench payments", title_justify="left")
    table.add_row("events per second", f"{result['events_per_second']:,.0f}")
    table.add_row("", f"{events:,} in {result['seconds']:.2f} s, {result['workers']} workers, 1 relay")
    cold = result["cold"]
    if cold is not None:
        told = f"{cold['events_per_second']:,.0f} a second before, {cold['events']:,} from a cold start"
        table.add_row("", told)
    table.add_row("downstream events", f"{result['published']:,} acknowledged")
    table.add_row("transactions", f"{result['batches']:,}, {result['mean_batch']:.0f} messages each")
    if result["ratio"] is not None:
        _pgbench(table, result["pgbench"])
        table.add_row("ratio to its best", f"{result['ratio']:.2f}")
    _processor(table, result["processor"], events)
    proof = result["proof"]
    table.add_row("guards", ", ".join(f"{name} {value}" for name, value in proof["durability"].items()))
    table.add_row("laws", f"{sum(proof['laws'].values())} of {len(proof['laws'])} rules hold")
    table.add_row("verdict", "all there" if not proof["problems"] else "; ".join(proof["problems"]))
    return table


def webhooks(result: dict[str, Any]) -> Table:
    """How a burst was answered, how fast at most, and how fast it was in the books."""
    plan, fast = result["plan"], result["full_speed"]
    table = Table(
        f"webhooks about {plan['about']}s", "", title="counterfoil bench webhooks", title_justify="left"
    )
    for name, phase in (("burst", result["burst"]), ("full speed", fast)):
        table.add_row(f"{name}: answered per second", f"{phase['answered_per_second']:,.0f}")
        table.add_row(
            "", f"{phase['webhooks']:,} in {phase['seconds']:.2f} s, answered {_counts(phase['statuses'])}"
        )
        table.add_row("", ", ".join(f"{at} {_ms(value)} ms" for at, value in phase["answer_ms"].items()))
    table.add_row("full speed: committed per second", f"{result['committed_per_second']:,.0f}")
    table.add_row("", f"{result['workers']} workers, 1 relay, 1 ingress; all: {_counts(result['outcomes'])}")
    if result["ratio"] is not None:
        _pgbench(table, result["pgbench"])
        for name, ratio in result["ratio"].items():
            table.add_row(f"ratio to its best: {name}", f"{ratio:.2f}")
    _processor(table, result["processor"], plan["full_speed"])
    table.add_row("verdict", "all there" if not result["problems"] else "; ".join(result["problems"]))
    return table


def cards(result: dict[str, Any]) -> Table:
    """Rate, latency at a moderate rate, and which process was busiest."""
    count = result["payments"]
    table = Table("card payments", "", title="counterfoil bench cards", title_justify="left")
    table.add_row("payments per second", f"{result['payments_per_second']:,.0f}")
    table.add_row("", f"{count:,} in {result['seconds']:.2f} s, {result['workers']} workers, 1 gateway")
    table.add_row(
        f"ms to succeeded at {result['rate']:,} a second",
        ", ".join(f"{at} {_ms(value)}" for at, value in result["latency_ms"].items()),
    )
    if result["ratio"] is not None:
        _pgbench(table, result["pgbench"])
        table.add_row("ratio to its best", f"{result['ratio']:.2f}")
    _processor(table, result["processor"], count)
    table.add_row("bound by", result["bound_by"])
    table.add_row("verdict", "all there" if not result["problems"] else "; ".join(result["problems"]))
    return table


def ledger(result: dict[str, Any]) -> Table:
    """Entries a second through Kafka and through the bulk interface, spread and hot, beside pgbench."""
    table = Table("entries of three legs", "", title="counterfoil bench ledger", title_justify="left")
    for name, run in result["through_kafka"].items():
        table.add_row(f"through Kafka, {name}: entries per second", f"{run['events_per_second']:,.0f}")
        told = f"{run['events']:,} in {run['seconds']:.2f} s, {run['workers']} workers, 1 relay"
        table.add_row("", told)
        if run["ratio"] is not None:
            table.add_row("ratio to pgbench's best", f"{run['ratio']:.2f}")
        _processor(table, run["processor"], run["events"])
    for name, run in result["runs"].items():
        table.add_row(f"in bulk, {name}: entries per second", f"{run['entries_per_second']:,.0f}")
        told = f"{run['entries']:,} in {run['seconds']:.2f} s, {run['writers']} writers, {run['batch']:,} at once"
        table.add_row("", told)
        if run["ratio"] is not None:
            table.add_row("ratio to pgbench's best", f"{run['ratio']:.2f}")
        _processor(table, run["processor"], run["entries"])
    if result["pgbench"]["best_tps"] is not None:
        _pgbench(table, result["pgbench"])
    table.add_row("verdict", "all there" if not result["problems"] else "; ".join(result["problems"]))
    return table


def _pgbench(table: Table, measured: dict[str, Any]) -> None:
    for when in ("before", "after"):
        told = ", ".join(f"{run['tps']:,.0f} ({run['clients']})" for run in measured[when])
        table.add_row(f"pgbench tps {when} (clients)", told)


def _processor(table: Table, use: dict[str, Any], events: int) -> None:
    table.add_section()
    for name, seconds in use["cpu_seconds"].items():
        table.add_row(f"processor: {name}", f"{seconds / events * 1e6:.1f} us an event, {seconds:.2f} s")
    table.add_row("processor: not ours", f"{use['others_cores']:.2f} cores on average")
    table.add_section()


def _counts(found: Mapping[str, int]) -> str:
    return ", ".join(f"{name}: {count:,}" for name, count in found.items())


def breakdown(title: str, part: dict[str, Any]) -> Table:
    """Microseconds an event by step, the longest first."""
    steps = part["steps"]
    whole, in_python = (sum(step[column] for step in steps) for column in ("wall_us", "python_us"))
    table = Table("step", "share", "us", "Python", "waiting", "calls", title=title, title_justify="left")
    for column in table.columns[1:]:
        column.justify = "right"
    for step in steps:
        wall, python = step["wall_us"], step["python_us"]
        table.add_row(
            step["name"],
            f"{wall / whole:.1%}",
            f"{wall:.2f}",
            f"{python:.2f}",
            f"{wall - python:.2f}",
            f"{step['calls']:,}",
        )
    table.add_section()
    table.add_row("all of it", "", f"{whole:.1f}", f"{in_python:.1f}", f"{whole - in_python:.1f}")
    if part["unwatched_us"] is not None:
        table.add_row("unwatched", "", f"{part['unwatched_us']:.1f}")
    if part["server_us"] is not None:
        table.add_row("PostgreSQL's processor", "", f"{part['server_us']:.1f}")
    return table


def guards(times: dict[str, float]) -> Table:
    """The database's own functions."""
    table = Table(
        "function in PostgreSQL", "us an event", title="guards, within the above", title_justify="left"
    )
    for name, spent_us in times.items():
        table.add_row(name, f"{spent_us:.2f}")
    return table


def latency(result: dict[str, Any], stages: Mapping[str, str]) -> Table:
    """Percentiles of the whole and of each stage, and what the slowest waited for."""
    title = f"counterfoil bench latency: {result['rate']:,} events a second, {result['workers']} workers"
    table = Table("ms", "p50", "p90", "p99", "max", "slowest 1%", "", title=title, title_justify="left")
    for column in table.columns[1:6]:
        column.justify = "right"
    table.add_row(
        "publish to downstream", *map(_ms, result["latency_ms"].values()), "", f"{result['events']:,} events"
    )
    table.add_section()
    for name, about in stages.items():
        times = (*result["stages_ms"][name].values(), result["slowest_ms"][name])
        table.add_row(name, *map(_ms, times), about)
    table.add_section()
    table.add_row(
        "bound by", "", "", "", "", "", f"{result['bound_by']}; {result['mean_batch']:.1f} events a batch"
    )
    others = result["processor"]["others_cores"]
    table.add_row("", "", "", "", "", "", f"not ours: {others:.2f} cores busy on average")
    return table


def _ms(value: float) -> str:
    return f"{value:.1f}"
