"""Ed25519 keys (RFC 8032): one private key that signs, any number of public keys that are believed.

A key's id is the start of the SHA-256 of its public bytes. To rotate: sign with the new key, keep the old public one.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

if TYPE_CHECKING:
    from collections.abc import Mapping

_PUBLIC: Final = re.compile(rb"-----BEGIN PUBLIC KEY-----.+?-----END PUBLIC KEY-----", re.DOTALL)


class KeyUnusableError(ValueError):
    """A key cannot be read, or is no Ed25519 key. The message says nothing of what it holds."""


class Signer:
    """Signs with one private key."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.key_id = key_id(key.public_key())

    @classmethod
    def from_pem(cls, pem: bytes) -> Signer:
        """Of an unencrypted PKCS #8 private key.

        Raises:
            KeyUnusableError: it is none, or of another kind.
        """
        try:
            key = load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise KeyUnusableError("the private key cannot be read: an unencrypted PEM is needed") from None
        if not isinstance(key, Ed25519PrivateKey):
            raise KeyUnusableError("the private key is no Ed25519 key")
        return cls(key)

    def sign(self, message: bytes) -> bytes:
        """64 bytes."""
        return self._key.sign(message)


def key_id(key: Ed25519PublicKey) -> str:
    """How a signature says whose it is."""
    return sha256(key.public_bytes_raw()).hexdigest()[:16]


def public_keys(pem: bytes) -> dict[str, Ed25519PublicKey]:
    """The keys of a PEM file, by id.

    Raises:
        KeyUnusableError: there is none in it, or one of another kind.
    """
    keys = {}
    for part in _PUBLIC.findall(pem):
        try:
            key = load_pem_public_key(part)
        except (ValueError, UnsupportedAlgorithm):
            raise KeyUnusableError("a public key cannot be read") from None
        if not isinstance(key, Ed25519PublicKey):
            raise KeyUnusableError("a public key is no Ed25519 key")
        keys[key_id(key)] = key
    if not keys:
        raise KeyUnusableError("there is no public key in the file")
    return keys


def is_signed(
    keys: Mapping[str, Ed25519PublicKey], signer: str | None, signature: bytes | None, message: bytes
) -> bool:
    """Whether one of the keys signed the message."""
    key = keys.get(signer or "")
    if key is None or signature is None:
        return False
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True
