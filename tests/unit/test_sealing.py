"""Texts and files are encrypted where they are kept, and only the right key, run and place open them."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from zts_core.artifacts import Artifacts, sealed_anew
from zts_core.artifacts import open_artifacts as open_at
from zts_core.errors import KeyMissing, SettingInvalid, Unreadable
from zts_core.sealing import MARK, Sealer, new_key, open_sealer

OLD, NEW = (base64.b64encode(bytes([byte]) * 32).decode() for byte in (1, 2))
SECRET = b"a marmalade drone"


def open_artifacts(place: str, *, keys: str = "") -> Artifacts:
    return open_at(place, open_sealer(keys))


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
    with pytest.raises(SettingInvalid, match=r"run r1 is encrypted with key [0-9a-f]{8}.*ZTS_ENCRYPTION_KEY"):
        open_artifacts(place, keys=keys).get("r1", digest)


@pytest.mark.parametrize("change", ["moved", "bent", "cut"])
def test_a_file_that_was_moved_or_changed_is_never_given_out(place: str, tmp_path: Path, change: str) -> None:
    files = open_artifacts(place, keys=NEW)
    digest = files.put("r1", SECRET)
    other = files.put("r2", SECRET)
    [kept] = [path for path in (tmp_path / "r1").rglob("*") if path.is_file()]
    [moved] = [path for path in (tmp_path / "r2").rglob("*") if path.is_file()]
    assert (other, kept.name != moved.name, digest in kept.name) == (digest, True, False)
    raw = kept.read_bytes()
    target = moved if change == "moved" else kept
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes({"moved": raw, "bent": raw[:-1] + bytes([raw[-1] ^ 1]), "cut": raw[:30]}[change])
    with pytest.raises(KeyError):
        files.get("r2" if change == "moved" else "r1", digest)


def test_files_come_under_a_new_key_one_by_one_and_again_changes_nothing(place: str, tmp_path: Path) -> None:
    both, new = open_sealer(f"{NEW},{OLD}"), open_sealer(NEW)
    digests = [open_artifacts(place).put("r1", b"plain"), open_artifacts(place, keys=OLD).put("r1", SECRET)]
    (tmp_path / "r1" / "tmp_cut_short").write_bytes(b"x")
    files = open_at(place, both)
    kept = list(files.kept())
    assert sorted(sealed_anew(files, both, *each) for each in kept) == [False, True, True]
    assert {where.partition("/")[0] for _, where in files.kept()} == {new.key_ids[0], "tmp_cut_short"}
    assert [open_at(place, new).get("r1", digest) for digest in digests] == [b"plain", SECRET]
    assert not any(sealed_anew(files, both, *each) for each in [*kept, *files.kept()])
    stranger = open_sealer(base64.b64encode(b"s" * 32).decode())
    with pytest.raises(KeyMissing):
        [sealed_anew(open_at(place, stranger), stranger, *each) for each in files.kept()]


def test_a_plain_file_that_looks_sealed_is_still_the_file(place: str) -> None:
    sealed_by_hand = b"\x93zts-sealed-1\nnot sealed at all"
    files = open_artifacts(place)
    assert files.get("r1", files.put("r1", sealed_by_hand)) == sealed_by_hand


@pytest.mark.parametrize("keys", ["short", "AAAA", f"{NEW},", "ü" * 44])
def test_a_key_that_does_not_fit_is_refused_with_the_cure_and_never_shown(keys: str) -> None:
    with pytest.raises(SettingInvalid, match="zts key new") as refused:
        open_artifacts("/nowhere", keys=keys)
    assert keys not in str(refused.value)


@pytest.fixture
def sealer() -> Sealer:
    return open_sealer(f"{NEW},{OLD}")


@pytest.mark.parametrize("text", ["", "marmalade", "ein Grüßli 🐝", "x" * 100_000, f"{MARK}8b682138:AAAA", f"{MARK}:"])
def test_a_text_comes_back_from_under_any_of_the_keys_and_without_one_stays_what_it_is(
    sealer: Sealer, text: str
) -> None:
    plain, old = open_sealer(""), open_sealer(OLD)
    for writer in (sealer, old, plain):
        assert sealer.open(writer.seal(text, "r1", "idea"), "r1", "idea") == text
    assert plain.open(plain.seal(text, "r1", "idea"), "r1", "idea") == text
    assert text == "" or text not in sealer.seal(text, "r1", "idea")


def test_the_same_text_in_the_same_place_gives_the_same_bytes_and_elsewhere_others(sealer: Sealer) -> None:
    sealed = sealer.seal("marmalade", "r1", "idea")
    assert sealed == sealer.seal("marmalade", "r1", "idea")
    others = [sealer.seal(*told) for told in (("marmalade", "r2", "idea"), ("marmalade", "r1", "title"), ("x", "", ""))]
    assert len({sealed[-40:], *(other[-40:] for other in others)}) == 4


@pytest.mark.parametrize("changed", ["run", "what", "bytes", "cut", "no base64", "no id"])
def test_a_text_that_was_moved_or_changed_is_not_given_out(sealer: Sealer, changed: str) -> None:
    sealed = sealer.seal("marmalade", "r1", "idea")
    head = len(MARK) + 9
    bent = {
        "bytes": sealed[:-3] + ("A" if sealed[-3] != "A" else "B") + sealed[-2:],
        "cut": sealed[: head + 8],
        "no base64": sealed[:head] + "?",
        "no id": f"{MARK}zz{sealed[len(MARK) + 2 :]}",
    }.get(changed, sealed)
    with pytest.raises(Unreadable, match="does not open"):
        sealer.open(bent, "r2" if changed == "run" else "r1", "title" if changed == "what" else "idea")


def test_a_text_under_an_unknown_key_names_that_key_and_the_cure(sealer: Sealer) -> None:
    sealed = sealer.seal("marmalade", "r1", "idea")
    with pytest.raises(KeyMissing, match=f"run r1 is encrypted with key {sealer.key_ids[0]}.*add that key to ZTS_ENC"):
        open_sealer(OLD).open(sealed, "r1", "idea")


def test_names_are_found_by_every_key_and_tell_nothing_of_the_text(sealer: Sealer) -> None:
    old, plain = open_sealer(OLD), open_sealer("")
    names = sealer.names("answer", "digest")
    assert [sealer.name("answer", "digest"), old.name("answer", "digest"), plain.name("answer", "digest")] == [*names]
    assert names[0] != sealer.name("band", "digest")
    assert names[2] == "digest"


UNUSED = """
import sys
sys.modules["cryptography"] = None
from zts_core.artifacts import open_artifacts
from zts_core.redis_store.store import RedisStore
from zts_core.sealing import Seals, open_sealer
sealer = open_sealer("")
open_artifacts(sys.argv[1], sealer).put("r1", b"x")
assert Seals(sealer, "r1").open(Seals(sealer, "r1").seal("x", "idea"), "idea") == "x"
assert RedisStore("redis://127.0.0.1:1", retention_s=1, timeout_s=1, sealer=sealer)
"""


def test_without_a_key_nothing_needs_the_library(tmp_path: Path) -> None:
    assert subprocess.run([sys.executable, "-c", UNUSED, str(tmp_path)], check=False).returncode == 0


def test_a_key_without_the_library_is_told_with_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(SettingInvalid, match=r"pip install 'zerotoship\[encryption\]'"):
        open_sealer(NEW)
    key, key_id = new_key()
    assert (len(base64.b64decode(key)), len(key_id)) == (32, 8)
