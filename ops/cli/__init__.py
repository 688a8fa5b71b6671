"""The command `counterfoil`. Each module holds a group of commands; app.py puts them together."""

from __future__ import annotations

from ops.cli.app import main

__all__ = ["main"]
