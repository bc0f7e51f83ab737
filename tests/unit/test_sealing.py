"""Files are encrypted where they are kept, and only the right key, run and name open them."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import pytest

from zts_core.artifacts import open_artifacts
from zts_core.errors import SettingInvalid

OLD, NEW = (base64.b64encode(bytes([byte]) * 32).decode() for byte in (1, 2))
SECRET = b"a marmalade drone"


def _bytes_below(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.fixture(params=["folder", "url"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path) if request.param == "folder" else f"file://{tmp_path}"


def test_nothing_of_a_file_is_readable_where_it_is_kept_and_its_digest_is_the_plain_ones(
    place: str, tmp_path: Path
) -> None:
    files = open_artifacts(place, keys=NEW)
    digest = files.put("r1", SECRET)
    assert digest == hashlib.sha256(SECRET).hexdigest()
    assert b"marmalade" not in _bytes_below(tmp_path)
    assert files.get("r1", digest) == SECRET


def test_old_keys_still_open_after_a_new_one_seals_and_plain_files_stay_readable(place: str) -> None:
    plain = open_artifacts(place).put("r1", b"plain")
    sealed = open_artifacts(place, keys=OLD).put("r1", SECRET)
    rotated = open_artifacts(place, keys=f"{NEW}, {OLD}")
    assert (rotated.get("r1", plain), rotated.get("r1", sealed)) == (b"plain", SECRET)


@pytest.mark.parametrize("keys", ["", OLD])
def test_without_its_key_a_file_is_refused_in_one_line_that_names_the_setting(place: str, keys: str) -> None:
    digest = open_artifacts(place, keys=NEW).put("r1", SECRET)
    with pytest.raises(SettingInvalid, match=r"run r1 are encrypted with key [0-9a-f]{8}.*ZTS_ARTIFACTS_KEY"):
        open_artifacts(place, keys=keys).get("r1", digest)


@pytest.mark.parametrize("change", ["moved", "bent", "cut"])
def test_a_file_that_was_moved_or_changed_is_never_given_out(place: str, tmp_path: Path, change: str) -> None:
    files = open_artifacts(place, keys=NEW)
    digest = files.put("r1", SECRET)
    [kept] = [path for path in tmp_path.rglob(digest) if path.is_file()]
    raw = kept.read_bytes()
    target = tmp_path / "r2" / digest[:2] / digest if change == "moved" else kept
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes({"moved": raw, "bent": raw[:-1] + bytes([raw[-1] ^ 1]), "cut": raw[:30]}[change])
    with pytest.raises(KeyError):
        files.get("r2" if change == "moved" else "r1", digest)


def test_a_plain_file_that_looks_sealed_is_still_the_file(place: str) -> None:
    sealed_by_hand = b"\x93zts-sealed-1\nnot sealed at all"
    files = open_artifacts(place)
    assert files.get("r1", files.put("r1", sealed_by_hand)) == sealed_by_hand


@pytest.mark.parametrize("keys", ["short", "AAAA", f"{NEW},", "ü" * 44])
def test_a_key_that_does_not_fit_is_refused_with_the_cure_and_never_shown(keys: str) -> None:
    with pytest.raises(SettingInvalid, match="openssl rand -base64 32") as refused:
        open_artifacts("/nowhere", keys=keys)
    assert keys not in str(refused.value)
