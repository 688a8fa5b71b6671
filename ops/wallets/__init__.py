"""Wallets at the desk: how one stands, as the rules that decide about it see it."""
