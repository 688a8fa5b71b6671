"""The books, read: balances as of any moment, statements, balance sheet and income statement; on screen, CSV, PDF."""
