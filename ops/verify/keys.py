"""Which keys sign and which are believed: by files or by environment, never on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from producers.chain.keys import KeyUnusableError, Signer, public_keys

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class ChainKeys(BaseSettings):
    """Ed25519 keys as PEM. Without a private key nothing is signed; without public ones no signature is asked for."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore")

    counterfoil_chain_key: SecretStr | None = None
    counterfoil_chain_key_file: Path | None = None
    counterfoil_chain_public_keys_file: Path | None = None
    """One or several public keys, one after the other."""

    def signer(self) -> Signer | None:
        """Who signs.

        Raises:
            KeyUnusableError: the key cannot be read.
        """
        if self.counterfoil_chain_key is not None:
            return Signer.from_pem(self.counterfoil_chain_key.get_secret_value().encode())
        if self.counterfoil_chain_key_file is not None:
            return Signer.from_pem(_read(self.counterfoil_chain_key_file))
        return None

    def believed(self, path: Path | None = None) -> dict[str, Ed25519PublicKey]:
        """Whose signatures count, from `path` or from the settings; nobody's in particular when neither is given.

        Raises:
            KeyUnusableError: the file cannot be read.
        """
        path = path or self.counterfoil_chain_public_keys_file
        return public_keys(_read(path)) if path is not None else {}


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise KeyUnusableError(f"{path}: {error.strerror}") from None
