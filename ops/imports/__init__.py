"""Orders from CSV files to recorded payments; docs/imports.md explains it to users.

`mapping.py` says what the columns mean, `rows.py` reads, `orders.py` groups rows to orders, `events.py` makes
the events, `rejects.py` keeps what could not be taken.
"""
