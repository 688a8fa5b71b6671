"""Ports for the stack's services: chosen once, kept, and chosen again only when somebody else took them."""

from __future__ import annotations

import random
import socket

HOST = "127.0.0.1"

# Below the ephemeral ranges of Linux (from 32768) and macOS (from 49152). Inside such a range a client that
# keeps trying to reach a broker that is down can be given the broker's own port as its source port: it then
# connects to itself, and the broker cannot come back.
FIRST, LAST = 20_000, 29_999


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket() as probe:
        # Connections of a server that just died linger in TIME_WAIT; they do not keep a new one away.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def choose(names: tuple[str, ...], kept: dict[str, int]) -> dict[str, int]:
    """A free port for each name: the kept one where it is still free, else a random one.

    Random, so that two stacks that choose at the same moment do not choose the same port.
    """
    ports: dict[str, int] = {}
    for name in names:
        port = kept.get(name)
        while port is None or port in ports.values() or not is_free(port):
            port = random.randint(FIRST, LAST)  # noqa: S311  no secret, only unlikely to collide
        ports[name] = port
    return ports
