"""The sandbox payment provider: a card processor to practise on, in its own process, over real HTTP.

It keeps its own books, so that a test can ask the other side how often a customer was really charged.
`tokens.py` is the table of everything it can do to its caller; docs/sandbox-provider.md describes the API.
"""
