"""Decides how crews' files are encrypted where they are kept: AES-256-GCM, bound to the run and the file's digest."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zts_core.errors import SettingInvalid

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAGIC = b"\x93zts-sealed-1\n"
"""How every sealed file begins; then come the key's id, the nonce and the ciphertext with its tag."""

_ID = 4
_NONCE = 12
_CURE = "one or several keys separated by commas, each 32 random bytes in base64 (`openssl rand -base64 32`)"


@dataclass(frozen=True, slots=True)
class Key:
    """32 bytes, never shown, and the four bytes by which a file names them."""

    secret: bytes
    name: bytes

    def __repr__(self) -> str:
        return f"Key({self.name.hex()})"


class Sealer:
    """Seals with the first key and opens with any; without keys files stay as they are."""

    def __init__(self, keys: Sequence[Key] = ()) -> None:
        self._keys = {key.name: key for key in keys}
        self._first = keys[0] if keys else None

    def seal(self, content: bytes, *, run_id: str, digest: str) -> bytes:
        """The bytes to keep for `content`, whose SHA-256 is `digest`; the same ones for the same key and run."""
        if self._first is None:
            return content
        bound = _bound(run_id, digest)
        # Made of what is sealed: no counter to share between workers, and two that write one file write the same bytes.
        nonce = hmac.digest(_derived(self._first, b"nonce"), bound, "sha256")[:_NONCE]
        return MAGIC + self._first.name + nonce + _cipher(self._first).encrypt(nonce, content, bound)

    def open(self, kept: bytes, *, run_id: str, digest: str) -> bytes:
        """The content; SettingInvalid without its key, KeyError where it was changed or moved. Plain files pass."""
        if not kept.startswith(MAGIC) or hashlib.sha256(kept).hexdigest() == digest:
            return kept
        from cryptography.exceptions import InvalidTag

        name, rest = kept[len(MAGIC) :][:_ID], kept[len(MAGIC) + _ID :]
        key = self._keys.get(name)
        if key is None:
            cure = "add that key to ZTS_ARTIFACTS_KEY"
            raise SettingInvalid(f"files of run {run_id} are encrypted with key {name.hex()}, which is not set; {cure}")
        try:
            return _cipher(key).decrypt(rest[:_NONCE], rest[_NONCE:], _bound(run_id, digest))
        except (InvalidTag, ValueError):
            raise KeyError(digest) from None


def open_sealer(text: str) -> Sealer:
    """The sealer of ZTS_ARTIFACTS_KEY; SettingInvalid where it holds no keys or the library is missing."""
    if not text:
        return Sealer()
    keys = [_key(word.strip(), at) for at, word in enumerate(text.split(","), start=1)]
    try:
        import cryptography  # noqa: F401 - asked for at the start, not at the first file
    except ImportError:
        cure = "pip install 'zerotoship[encryption]'"
        raise SettingInvalid(f"ZTS_ARTIFACTS_KEY needs cryptography, which is not installed; {cure}") from None
    return Sealer(keys)


def _key(word: str, at: int) -> Key:
    try:
        secret = base64.b64decode(word, validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if len(secret) != 32:
        raise SettingInvalid(f"ZTS_ARTIFACTS_KEY=(hidden): key {at} does not fit; give {_CURE}")
    return Key(secret, hashlib.sha256(b"zts key id" + secret).digest()[:_ID])


def _derived(key: Key, purpose: bytes) -> bytes:
    return hmac.digest(key.secret, b"zts " + purpose, "sha256")


def _cipher(key: Key) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(_derived(key, b"files"))


def _bound(run_id: str, digest: str) -> bytes:
    return f"{run_id}:{digest}".encode()
