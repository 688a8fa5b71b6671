"""Wallets: ledger accounts with an order, limits, and holds; stored credit, promotional credit, prepaid balances."""
