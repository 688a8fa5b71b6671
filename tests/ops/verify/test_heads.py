"""Exported heads: what they prove, which files are not believed; and keys, which no error ever shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from ops.verify import export_heads, read_heads
from ops.verify.heads import MAX_FILE_BYTES, HeadsUnusableError
from ops.verify.keys import ChainKeys
from producers.chain.keys import KeyUnusableError, Signer, key_id, public_keys
from tests.producers.chain.book import Sale, seal_all, verified, write

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from tests.conftest import Connection


def private_pem(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def public_pem(*keys: Ed25519PrivateKey) -> bytes:
    return b"".join(
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo) for key in keys
    )


def believed(*keys: Ed25519PrivateKey) -> dict[str, Ed25519PublicKey]:
    return {key_id(key.public_key()): key.public_key() for key in keys}


async def test_a_head_survives_the_file_and_holds_while_history_grows(admin: Connection) -> None:
    key = Ed25519PrivateKey.generate()
    for tenant in ("acme", "globex"):
        await write(admin, Sale(tenant))
    await seal_all(admin, Signer(key))
    raw = (await export_heads(admin, None, Signer(key))).model_dump_json(indent=2).encode()
    await write(admin)
    await seal_all(admin, Signer(key))
    heads = read_heads(raw, believed(key)).heads
    assert [head.tenant for head in heads] == ["acme", "globex"]
    assert (await verified(admin, heads=heads, keys=believed(key))).ok
    assert (await verified(admin, heads=heads, tenant="globex")).ok


async def test_a_head_of_a_tenant_that_is_gone_is_missed(admin: Connection) -> None:
    await write(admin)
    await seal_all(admin)
    (head,) = (await export_heads(admin, None, None)).heads
    other = head.model_copy(update={"tenant": "globex"})
    assert [finding.told for finding in (await verified(admin, heads=[other])).findings] == [
        f"the chain of globex is gone; it was exported with block 1, up to entry {head.last_entry_id} (position 1)"
    ]


async def test_two_heads_of_one_tenant_are_both_compared(admin: Connection) -> None:
    """An older file tells as much as a newer one."""
    await write(admin)
    await seal_all(admin)
    (old,) = (await export_heads(admin, None, None)).heads
    await write(admin)
    await seal_all(admin)
    (new,) = (await export_heads(admin, None, None)).heads
    wrong = old.model_copy(update={"block_hash": "00" * 32})
    assert (await verified(admin, heads=[old, new])).ok
    for heads in ([wrong, new], [new, wrong]):
        assert (await verified(admin, heads=heads)).broken == 1


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"exported_at": "2020-01-01T00:00:00Z"}, "not signed by a key that is believed"),
        ({"heads": []}, "not signed by a key that is believed"),
        ({"signature": None}, "not signed by a key that is believed"),
        ({"key_id": "0123456789abcdef"}, r"not signed by a key that is believed \(key 0123456789abcdef\)"),
        ({"signature": "%%%"}, "signature: not base64"),
        ({"format": "counterfoil.heads.9"}, "format: "),
        ({"more": 1}, "more: "),
        ({"heads": [{"tenant": "acme"}]}, "heads.0.block: "),
    ],
)
async def test_a_file_that_was_changed_is_not_believed(
    admin: Connection, change: dict[str, object], told: str
) -> None:
    key = Ed25519PrivateKey.generate()
    await write(admin)
    await seal_all(admin)
    exported = orjson.loads((await export_heads(admin, None, Signer(key))).model_dump_json())
    with pytest.raises(HeadsUnusableError, match=told):
        read_heads(orjson.dumps(exported | change), believed(key))


def test_what_is_no_file_of_heads_is_refused() -> None:
    for raw in (b"", b"[]", b"\xff", b"{" * 1000, b"null"):
        with pytest.raises(HeadsUnusableError):
            read_heads(raw, {})
    with pytest.raises(HeadsUnusableError, match="the limit is"):
        read_heads(b" " * (MAX_FILE_BYTES + 1), {})


def test_keys_come_from_files_or_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    key, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    (tmp_path / "key.pem").write_bytes(private_pem(key))
    (tmp_path / "public.pem").write_bytes(public_pem(key, other))
    assert ChainKeys().signer() is None
    assert ChainKeys().believed() == {}
    monkeypatch.setenv("COUNTERFOIL_CHAIN_KEY_FILE", "key.pem")
    monkeypatch.setenv("COUNTERFOIL_CHAIN_PUBLIC_KEYS_FILE", "public.pem")
    signer = ChainKeys().signer()
    assert signer is not None
    assert signer.key_id == key_id(key.public_key())
    assert ChainKeys().believed().keys() == believed(key, other).keys()
    monkeypatch.setenv("COUNTERFOIL_CHAIN_KEY", private_pem(other).decode())
    signer = ChainKeys().signer()
    assert signer is not None
    assert signer.key_id == key_id(other.public_key())
    assert "PRIVATE" not in repr(ChainKeys())
    monkeypatch.setenv("COUNTERFOIL_CHAIN_PUBLIC_KEYS_FILE", "nowhere.pem")
    with pytest.raises(KeyUnusableError, match=r"nowhere\.pem: No such file"):
        ChainKeys().believed()


def test_an_unusable_key_is_refused_without_a_word_of_it() -> None:
    elliptic = generate_private_key(SECP256R1())
    wrong = elliptic.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    secret = private_pem(Ed25519PrivateKey.generate())
    for pem in (wrong, secret[:60], b"", public_pem(Ed25519PrivateKey.generate())):
        with pytest.raises(KeyUnusableError) as told:
            Signer.from_pem(pem)
        assert len(str(told.value)) < 80
        assert told.value.__cause__ is None
    public = elliptic.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for pem in (b"", secret, public, b"-----BEGIN PUBLIC KEY-----\nx\n-----END PUBLIC KEY-----"):
        with pytest.raises(KeyUnusableError):
            public_keys(pem)
