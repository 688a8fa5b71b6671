"""Charging by hand: what an operator is shown before, and the command that is sent then."""
