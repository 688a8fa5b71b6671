"""Proof that history has not changed: the hash chain against the book, and both against heads that were exported."""

from __future__ import annotations

from ops.verify.heads import Head, Heads, export_heads, read_heads
from ops.verify.verdict import Finding, Verdict
from ops.verify.walk import verify

__all__ = ["Finding", "Head", "Heads", "Verdict", "export_heads", "read_heads", "verify"]
