"""The webhook ingress as a role: its settings, its metrics, and the providers that it can read."""
