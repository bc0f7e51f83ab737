"""Files of crews at every kind of place: a local folder, fsspec's file and memory systems, a real FTP server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from zts_core.artifacts import Artifacts, open_artifacts
from zts_core.errors import ServiceUnavailable, SettingInvalid

pytestmark = pytest.mark.filterwarnings("ignore:The asyn(core|chat) module is deprecated:DeprecationWarning")


@pytest.fixture
def ftp(tmp_path: Path) -> Iterator[str]:
    """URL of a real FTP server on a free port of this host."""
    from pyftpdlib.authorizers import DummyAuthorizer
    from pyftpdlib.handlers import FTPHandler
    from pyftpdlib.servers import FTPServer

    (tmp_path / "ftp").mkdir()
    users = DummyAuthorizer()
    users.add_user("crew", "secret", str(tmp_path / "ftp"), perm="elradfmwMT")
    handler = type("Handler", (FTPHandler,), {"authorizer": users})
    server = FTPServer(("127.0.0.1", 0), handler)
    over = threading.Event()

    def serve() -> None:
        while not over.is_set():
            server.serve_forever(timeout=0.05, blocking=False)

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"ftp://crew:secret@127.0.0.1:{server.address[1]}/artifacts"
    over.set()
    thread.join()
    server.close_all()


@pytest.fixture(params=["folder", "file", "memory", "ftp"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Artifacts:
    places = {
        "folder": str(tmp_path / "kept"),
        "file": f"file://{tmp_path}/kept",
        "memory": f"memory://{tmp_path.name}",
    }
    return open_artifacts(places.get(request.param) or request.getfixturevalue("ftp"))


def test_what_is_put_is_got_by_its_digest_and_forgotten_with_its_run(files: Artifacts) -> None:
    digest = files.put("r1", b"made by a crew")
    assert files.put("r1", b"made by a crew") == digest
    other = files.put("r2", b"made by a crew")
    assert files.get("r1", digest) == b"made by a crew"
    with pytest.raises(KeyError):
        files.get("r1", "0" * 64)
    files.forget("r1")
    files.forget("r1")
    with pytest.raises(KeyError):
        files.get("r1", digest)
    assert files.get("r2", other) == b"made by a crew"


def test_a_file_that_was_cut_short_is_never_given_out_and_is_written_again(tmp_path: Path) -> None:
    files = open_artifacts(f"file://{tmp_path}")
    digest = files.put("r1", b"the whole of it")
    (torn,) = [path for path in tmp_path.rglob(digest) if path.is_file()]
    torn.write_bytes(b"the who")
    with pytest.raises(KeyError):
        files.get("r1", digest)
    files.put("r1", b"the whole of it")
    assert files.get("r1", digest) == b"the whole of it"


def test_a_place_that_does_not_answer_is_named_without_its_password() -> None:
    with pytest.raises(ServiceUnavailable, match=r"ftp://127\.0\.0\.1:1/x.*ZTS_ARTIFACTS") as told:
        open_artifacts("ftp://crew:secret@127.0.0.1:1/x").put("r1", b"x")
    assert "secret" not in str(told.value)


def test_an_unknown_kind_of_place_is_bad_input() -> None:
    with pytest.raises(SettingInvalid, match="ZTS_ARTIFACTS=nowhere://x cannot be used"):
        open_artifacts("nowhere://x").put("r1", b"x")
