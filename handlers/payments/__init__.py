"""Payments: one intent per order, from the request through confirmation and capture to the end."""
