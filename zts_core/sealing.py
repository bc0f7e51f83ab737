"""Decides how what a run holds is encrypted where it is kept: AES-256-GCM, bound to the run and to what it is.

Sealed text reads `zts-sealed:<key id>:<base64 of nonce and ciphertext>`, so that whoever sees it in Redis knows what it
is and which key opens it. The nonce is made of what is sealed (a keyed digest of it and of its place): the same text in
the same place gives the same bytes, which is what makes writing it twice harmless, and no counter has to be shared.
Each run has a cipher key of its own, derived from the secret, so that no number of runs wears a key out.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from zts_core.errors import KeyMissing, SettingInvalid, Unreadable

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SETTING = "ZTS_ENCRYPTION_KEY"
MARK = "zts-sealed:"
"""How every sealed text begins."""
MAGIC = b"\x93zts-sealed-1\n"
"""How every sealed file begins; then come the key's id, the nonce and the ciphertext with its tag."""

_ID = 4
_NONCE = 12
_CURE = "one or several keys separated by commas, each 32 random bytes in base64 (`zts key new` makes one)"


@dataclass(frozen=True, slots=True)
class Key:
    """32 bytes, never shown, and the four bytes by which what is sealed names them."""

    secret: bytes
    name: bytes

    def __repr__(self) -> str:
        return f"Key({self.name.hex()})"


class Sealer:
    """Seals with the first key and opens with any; without keys everything stays as it is."""

    def __init__(self, keys: Sequence[Key] = ()) -> None:
        self._keys = {key.name: key for key in keys}
        self._first = keys[0] if keys else None
        self.key_ids = tuple(key.name.hex() for key in keys)
        """Eight hexadecimal digits for each key, the one that seals first."""

    @property
    def on(self) -> bool:
        """Whether there is a key."""
        return self._first is not None

    # texts

    def seal(self, text: str, run_id: str, what: str) -> str:
        """The text to keep for `what` of a run (empty for what belongs to none)."""
        if self._first is None:
            # A text of a user's own that looks sealed is marked as plain.
            return f"{MARK}:{text}" if text.startswith(MARK) else text
        sealed = _encrypted(self._first, text.encode("utf-8", "replace"), run_id, what)
        return f"{MARK}{self._first.name.hex()}:{binascii.b2a_base64(sealed, newline=False).decode('ascii')}"

    def open(self, kept: str, run_id: str, what: str) -> str:
        """The text; KeyMissing without its key, Unreadable where it was changed or moved. Plain text passes."""
        if not kept.startswith(MARK):
            return kept
        name, _, sealed = kept[len(MARK) :].partition(":")
        if not name:
            return sealed
        try:
            raw, named = base64.b64decode(sealed, validate=True), bytes.fromhex(name)
        except ValueError:
            raise Unreadable(_changed(run_id, what)) from None
        return self._opened(named, raw, run_id, what).decode("utf-8")

    def is_current(self, kept: str) -> bool:
        """Whether a text stands as this sealer would write it: under its first key."""
        return self._first is not None and kept.startswith(f"{MARK}{self._first.name.hex()}:")

    # files

    def seal_file(self, content: bytes, run_id: str, what: str) -> bytes:
        """The bytes to keep for a file."""
        if self._first is None:
            return content
        return MAGIC + self._first.name + _encrypted(self._first, content, run_id, what)

    def open_file(self, kept: bytes, run_id: str, what: str) -> bytes:
        """The content of a sealed file, as `open`."""
        if not kept.startswith(MAGIC):
            raise Unreadable(_changed(run_id, what))
        named, sealed = kept[len(MAGIC) :][:_ID], kept[len(MAGIC) + _ID :]
        return self._opened(named, sealed, run_id, what)

    def _opened(self, named: bytes, sealed: bytes, run_id: str, what: str) -> bytes:
        key = self._keys.get(named)
        if key is None:
            raise missing(named.hex(), run_id)
        try:
            return _decrypted(key, sealed, run_id, what)
        except ValueError:
            raise Unreadable(_changed(run_id, what)) from None

    # names

    def name(self, kind: str, text: str) -> str:
        """What stands in a name for a text that must not be guessed from it; the text itself without a key."""
        return text if self._first is None else _named(self._first, kind, text)

    def names(self, kind: str, text: str) -> tuple[str, ...]:
        """Every name under which the text may stand: by each key, and plain from before there was one."""
        return (*(_named(key, kind, text) for key in self._keys.values()), text)


NO_SEALER = Sealer()
"""Without keys."""


@dataclass(frozen=True, slots=True)
class Seals:
    """The sealer for what one run holds."""

    sealer: Sealer = NO_SEALER
    run_id: str = ""

    @property
    def on(self) -> bool:
        """Whether there is a key."""
        return self.sealer.on

    def seal(self, text: str, what: str) -> str:
        """The text to keep for `what`."""
        return self.sealer.seal(text, self.run_id, what)

    def open(self, kept: str, what: str) -> str:
        """The text; KeyMissing without its key, Unreadable where it was changed or moved."""
        return self.sealer.open(kept, self.run_id, what)

    def told(self, kept: str, what: str) -> str:
        """The text, or why it cannot be read: for lists, and for whoever deletes what nobody can open any more."""
        try:
            return self.open(kept, what)
        except KeyMissing as error:
            return f"(encrypted with key {error.key_id}, which is not set here)"
        except Unreadable:
            return "(does not open: it was changed where it is kept)"

    def if_unchanged(self, kept: str, what: str) -> str:
        """The text, or what is kept where that was changed: for whoever looks for just that."""
        try:
            return self.open(kept, what)
        except Unreadable:
            return kept

    def name(self, kind: str, text: str) -> str:
        """What stands in a name for a text that must not be guessed from it."""
        return self.sealer.name(kind, text)


PLAIN = Seals()
"""Of any run, where nothing is encrypted."""


def missing(key_id: str, run_id: str = "") -> KeyMissing:
    """The error for a key that this process does not have."""
    whose = f"run {run_id} is" if run_id else "what is kept here is"
    return KeyMissing(f"{whose} encrypted with key {key_id}, which is not set here; add that key to {SETTING}", key_id)


def open_sealer(text: str) -> Sealer:
    """The sealer of ZTS_ENCRYPTION_KEY; SettingInvalid where it holds no keys or the library is missing."""
    if not text:
        return NO_SEALER
    keys = [_key(word.strip(), at) for at, word in enumerate(text.split(","), start=1)]
    try:
        import cryptography  # noqa: F401 - asked for at the start, not at the first value
    except ImportError:
        cure = "pip install 'zerotoship[encryption]'"
        raise SettingInvalid(f"{SETTING} needs cryptography, which is not installed; {cure}") from None
    return Sealer(keys)


def new_key() -> tuple[str, str]:
    """A key as ZTS_ENCRYPTION_KEY takes it, from the system's source of randomness, and its id."""
    text = base64.b64encode(os.urandom(32)).decode("ascii")
    return text, _key(text, 1).name.hex()


def _key(word: str, at: int) -> Key:
    try:
        secret = base64.b64decode(word, validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if len(secret) != 32:
        raise SettingInvalid(f"{SETTING}=(hidden): key {at} does not fit; give {_CURE}")
    return Key(secret, hashlib.sha256(b"zts key id" + secret).digest()[:_ID])


def _encrypted(key: Key, content: bytes, run_id: str, what: str) -> bytes:
    bound = _bound(run_id, what)
    nonce = hmac.digest(_derived(key.secret, "nonce"), bound + content, "sha256")[:_NONCE]
    return nonce + _cipher(key.secret, run_id).encrypt(nonce, content, bound)


def _decrypted(key: Key, sealed: bytes, run_id: str, what: str) -> bytes:
    """ValueError where it does not open."""
    from cryptography.exceptions import InvalidTag

    try:
        return _cipher(key.secret, run_id).decrypt(sealed[:_NONCE], sealed[_NONCE:], _bound(run_id, what))
    except InvalidTag:
        raise ValueError(what) from None


def _bound(run_id: str, what: str) -> bytes:
    place = f"{run_id}\0{what}".encode()
    return len(place).to_bytes(4, "big") + place


def _named(key: Key, kind: str, text: str) -> str:
    whole = f"{kind}\0{text}".encode("utf-8", "surrogatepass")
    return hmac.digest(_derived(key.secret, "names"), whole, "sha256").hex()[:32]


@lru_cache(maxsize=64)
def _derived(secret: bytes, purpose: str) -> bytes:
    return hmac.digest(secret, f"zts {purpose}".encode(), "sha256")


@lru_cache(maxsize=256)
def _cipher(secret: bytes, run_id: str) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(hmac.digest(secret, f"zts run {run_id}".encode(), "sha256"))


def _changed(run_id: str, what: str) -> str:
    whose = f" of run {run_id}" if run_id else ""
    return f"the {what}{whose} does not open: it was changed where it is kept, or moved there from elsewhere"
