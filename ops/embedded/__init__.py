"""PostgreSQL 18 and Apache Kafka 4, the real ones, for whoever has only Python.

    stack = Stack(Path(".counterfoil"))
    endpoints = stack.up(print)     # seconds; the first time Kafka is downloaded
    ...
    stack.down()                    # the data stays

stack.py is the door. supervise.py is the process that owns both servers; postgres.py and kafka.py say what
each of them is; service.py starts and ends a process, unprivileged.py deals with being root, jars.py finds
Kafka.
"""

from __future__ import annotations

from ops.embedded.errors import EmbeddedStackError
from ops.embedded.stack import Endpoints, Stack
from ops.embedded.status import ServiceName, ServiceStatus, StackStatus

__all__ = ["EmbeddedStackError", "Endpoints", "ServiceName", "ServiceStatus", "Stack", "StackStatus"]
