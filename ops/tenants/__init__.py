"""Roles that read one tenant alone: made, granted, taken back, and what `check` verifies of them."""
