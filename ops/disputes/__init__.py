"""Disputes for people: the laws that `check` verifies, and the evidence package of a dispute."""
