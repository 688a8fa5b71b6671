"""Refunds: money on its way back, from the request through policy and approval to the provider's word."""
