"""What runs it: CLI, settings, logging, metrics, health, embedded stack, checks, bench, dashboards."""
