"""Decides where crews' files live: by digest below a run's folder, so that a file is written once and never changed.

A local folder, or any place that fsspec reaches (`s3://`, `gs://`, `ftp://`, ...), which several hosts can share.

A file becomes visible only through the manifest of a committed step; what an attempt wrote and did not commit is
never listed anywhere.

With a key a file stands encrypted below its key's id, under a keyed name: neither its content nor its digest is told.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from zts_core.crash_points import MID_ROTATION, reach
from zts_core.errors import BadInput, ServiceUnavailable, SettingInvalid, Unreadable, ZtsError
from zts_core.sealing import NO_SEALER, Sealer, missing


class Artifacts(Protocol):
    """Files by digest below a run."""

    def put(self, run_id: str, content: bytes) -> str:
        """Keep `content` and return its SHA-256; free where it is kept already."""

    def get(self, run_id: str, digest: str) -> bytes:
        """The content with this digest; KeyError where it is not kept."""

    def forget(self, run_id: str) -> None:
        """Drop all files of a run."""

    def kept(self) -> Iterator[tuple[str, str]]:
        """Every file as its run and its place below the run's folder."""

    def read(self, run_id: str, place: str) -> bytes:
        """A file as it is kept; FileNotFoundError where it is gone."""

    def remove(self, run_id: str, place: str) -> bool:
        """Drop one file; False where it is gone already."""


def open_artifacts(place: str, sealer: Sealer = NO_SEALER) -> Artifacts:
    """The files at a folder's path or an fsspec URL, encrypted where the sealer has a key; connects to nothing yet."""
    return RemoteArtifacts(place, sealer) if "://" in place else LocalArtifacts(Path(place), sealer)


class LocalArtifacts:
    """Files in a local folder: `<folder>/<run>/<first two digits>/<digest>`, or `<folder>/<run>/<key id>/<name>`."""

    def __init__(self, folder: Path, sealer: Sealer = NO_SEALER) -> None:
        self.folder = folder
        self._sealer = sealer

    def put(self, run_id: str, content: bytes) -> str:
        """Keep `content` and return its SHA-256; atomic, and free where it is kept already."""
        digest = hashlib.sha256(content).hexdigest()
        place = places_of(self._sealer, run_id, digest)[0]
        target = self.folder / run_id / place
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=target.parent)
            with os.fdopen(handle, "wb") as file:
                file.write(self._sealer.seal_file(content, run_id, place))
            Path(name).replace(target)
        return digest

    def get(self, run_id: str, digest: str) -> bytes:
        """The content with this digest; KeyError where it is not kept."""
        for place in places_of(self._sealer, run_id, digest):
            with contextlib.suppress(FileNotFoundError):
                return opened(self._sealer, run_id, place, self.read(run_id, place))
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            folders = (path for path in (self.folder / run_id).iterdir() if any(path.iterdir()))
            refuse_other_keys(self._sealer, run_id, (path.name for path in folders))
        raise KeyError(digest)

    def forget(self, run_id: str) -> None:
        """Drop all files of a run."""
        shutil.rmtree(self.folder / run_id, ignore_errors=True)

    def kept(self) -> Iterator[tuple[str, str]]:
        """Every file as its run and its place below the run's folder."""
        for run in self._runs():
            for folder, _, names in os.walk(self.folder / run):
                inside = PurePosixPath(folder).relative_to(self.folder / run)
                yield from ((run, str(inside / name)) for name in names)

    def _runs(self) -> list[str]:
        return sorted(entry.name for entry in self.folder.iterdir() if entry.is_dir()) if self.folder.is_dir() else []

    def read(self, run_id: str, place: str) -> bytes:
        """A file as it is kept; FileNotFoundError where it is gone."""
        return (self.folder / run_id / place).read_bytes()

    def remove(self, run_id: str, place: str) -> bool:
        """Drop one file; False where it is gone already."""
        try:
            (self.folder / run_id / place).unlink()
        except FileNotFoundError:
            return False
        return True


class RemoteArtifacts:
    """The same below an fsspec URL. Connects at the first call; ServiceUnavailable where the place does not answer.

    A file that was cut short while it was written is written again, and never given out: names are digests.
    """

    def __init__(self, url: str, sealer: Sealer = NO_SEALER) -> None:
        self.url = url
        self._sealer = sealer

    def put(self, run_id: str, content: bytes) -> str:
        """Keep `content` and return its SHA-256."""
        digest = hashlib.sha256(content).hexdigest()
        place = places_of(self._sealer, run_id, digest)[0]
        kept = self._sealer.seal_file(content, run_id, place)
        with self._translated():
            path = self._path(run_id, place)
            if not self._fs.exists(path) or self._fs.size(path) != len(kept):
                self._fs.makedirs(path.rpartition("/")[0], exist_ok=True)
                self._fs.pipe_file(path, kept)
        return digest

    def get(self, run_id: str, digest: str) -> bytes:
        """The content with this digest; KeyError where it is not kept."""
        for place in places_of(self._sealer, run_id, digest):
            with contextlib.suppress(FileNotFoundError):
                content = opened(self._sealer, run_id, place, self.read(run_id, place))
                if hashlib.sha256(content).hexdigest() != digest:
                    raise KeyError(digest)
                return content
        with contextlib.suppress(FileNotFoundError), self._translated():
            listed = self._fs.ls(self._path(run_id, ""), detail=False)
            refuse_other_keys(self._sealer, run_id, (str(path).rstrip("/").rpartition("/")[2] for path in listed))
        raise KeyError(digest)

    def forget(self, run_id: str) -> None:
        """Drop all files of a run."""
        with self._translated(), contextlib.suppress(FileNotFoundError):
            self._fs.rm(f"{self._root}/{run_id}", recursive=True)

    def kept(self) -> Iterator[tuple[str, str]]:
        """Every file as its run and its place below the run's folder."""
        with self._translated():
            found = self._fs.find(self._root)
        for path in found:
            run_id, _, place = str(path)[len(self._root) :].strip("/").partition("/")
            if place:
                yield run_id, place

    def read(self, run_id: str, place: str) -> bytes:
        """A file as it is kept; FileNotFoundError where it is gone."""
        with self._translated():
            return bytes(self._fs.cat_file(self._path(run_id, place)))

    def remove(self, run_id: str, place: str) -> bool:
        """Drop one file; False where it is gone already."""
        try:
            with self._translated():
                self._fs.rm_file(self._path(run_id, place))
        except FileNotFoundError:
            return False
        return True

    def _path(self, run_id: str, place: str) -> str:
        return f"{self._root}/{run_id}/{place}".rstrip("/")

    @property
    def _fs(self) -> Any:
        return self._opened[0]

    @property
    def _root(self) -> str:
        return str(self._opened[1]).rstrip("/")

    @cached_property
    def _opened(self) -> tuple[Any, str]:
        try:
            from fsspec.core import url_to_fs
        except ImportError:
            cure = "pip install 'zerotoship[artifacts]', or name a folder"
            raise SettingInvalid(f"ZTS_ARTIFACTS={self._place} needs fsspec, which is not installed; {cure}") from None
        try:
            # Other hosts write there too: what was listed a moment ago says nothing.
            opened: tuple[Any, str] = url_to_fs(self.url, use_listings_cache=False)
        except (ImportError, ValueError) as error:
            raise SettingInvalid(f"ZTS_ARTIFACTS={self._place} cannot be used: {error}; correct it") from None
        return opened

    @property
    def _place(self) -> str:
        """The URL without a login."""
        scheme, _, rest = self.url.partition("://")
        return f"{scheme}://{rest.rpartition('@')[2]}"

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (ZtsError, KeyError, FileNotFoundError):
            raise
        except Exception as error:  # each file system has errors of its own
            told = f"the files at {self._place} do not answer: {type(error).__name__}: {error}"
            raise ServiceUnavailable(f"{told}; correct ZTS_ARTIFACTS, or what is there") from error


def places_of(sealer: Sealer, run_id: str, digest: str) -> list[str]:
    """Where a file may stand below its run's folder: first where it is put, then by older keys, then plain."""
    named = sealer.names("file", f"{run_id} {digest}")
    places = [f"{key_id}/{name}" for key_id, name in zip(sealer.key_ids, named, strict=False)]
    return [*places, f"{digest[:2]}/{digest}"]


def opened(sealer: Sealer, run_id: str, place: str, kept: bytes) -> bytes:
    """The content of a file; KeyError where it was changed or moved."""
    try:
        return sealer.open_file(kept, run_id, place) if key_of(place) else kept
    except Unreadable:
        raise KeyError(place) from None


def key_of(place: str) -> str:
    """The id of the key that a place below a run's folder is sealed with; empty where it is plain."""
    folder = place.partition("/")[0]
    return folder if re.fullmatch("[0-9a-f]{8}", folder) else ""


def refuse_other_keys(sealer: Sealer, run_id: str, folders: Iterable[str]) -> None:
    """KeyMissing where a run has files that are sealed with a key which is not at hand."""
    for folder in folders:
        if key_of(folder) and folder not in sealer.key_ids:
            raise missing(folder, run_id)


def sealed_anew(files: Artifacts, sealer: Sealer, run_id: str, place: str) -> bool:
    """Bring one file under the first key; False where it stands there already. Raises KeyMissing, KeyError."""
    if key_of(place) == sealer.key_ids[0] or not _FILE.fullmatch(place):
        return False
    try:
        content = opened(sealer, run_id, place, files.read(run_id, place))
    except FileNotFoundError:
        return False
    new = places_of(sealer, run_id, files.put(run_id, content))[0]
    reach(MID_ROTATION)
    if not files.remove(run_id, place):
        # Its run was dropped meanwhile.
        files.remove(run_id, new)
    return True


_FILE = re.compile("[0-9a-f]{8}/[0-9a-f]{32}|[0-9a-f]{2}/[0-9a-f]{64}")
"""What is no attempt to write one that was cut short."""


def safe_path(path: str) -> str:
    """The path, where it is relative and stays inside its folder; BadInput otherwise."""
    pure = PurePosixPath(path)
    if not path or pure.is_absolute() or ".." in pure.parts or "\0" in path:
        raise BadInput(f"artifact path {path!r} leaves its folder; use a relative path without '..'")
    return str(pure)
