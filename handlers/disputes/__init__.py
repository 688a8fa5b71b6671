"""Disputes: the customer's bank takes money back, and what we answer."""
