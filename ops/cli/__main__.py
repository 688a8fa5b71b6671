"""`python -m ops.cli`: the command `counterfoil`, also where it is not installed."""

from __future__ import annotations

from ops.cli import main

main()
