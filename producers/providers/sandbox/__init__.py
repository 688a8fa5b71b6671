"""The sandbox provider (docs/sandbox-provider.md) behind our interface.

requests.py   our calls as its HTTP requests
outcomes.py   its answers in our terms
declines.py   its codes as our reasons
adapter.py    the two over HTTP: `SandboxProvider`
webhooks.py   what it tells unasked: `SandboxWebhooks`
"""

from __future__ import annotations

from producers.providers.sandbox.adapter import SandboxProvider
from producers.providers.sandbox.webhooks import SandboxWebhooks

__all__ = ["SandboxProvider", "SandboxWebhooks"]
