"""The signature vectors beside the repository, made by the providers' own libraries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

DATA = Path(__file__).parents[4] / "shared" / "data"


def data_file(name: str) -> bytes:
    """The file, or a skip that says what is missing."""
    file = DATA / name
    if not file.exists():
        pytest.skip(f"needs ../shared/data/{name} beside the repository: providers' webhook vectors")
    return file.read_bytes()


def vectors(scheme: str) -> list[dict[str, Any]]:
    """The vectors of one scheme; there must be some."""
    found = [v for v in orjson.loads(data_file("webhooks/signature_vectors.json")) if v["scheme"] == scheme]
    assert found, f"no vector of {scheme}"
    return found


def body_of(vector: dict[str, Any]) -> bytes:
    """The bytes that were signed, of a vector over a body."""
    return vector["body"].encode() if "body" in vector else data_file(vector["file"])
