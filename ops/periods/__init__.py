"""Periods from the outside: balances taken at a closing, and what `check` verifies."""
