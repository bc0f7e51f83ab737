"""Decides where crews' files live: by digest below a run's folder, so that a file is written once and never changed.

A local folder, or any place that fsspec reaches (`s3://`, `gs://`, `ftp://`, ...), which several hosts can share.

A file becomes visible only through the manifest of a committed step; what an attempt wrote and did not commit is
never listed anywhere.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from zts_core.errors import BadInput, ServiceUnavailable, SettingInvalid, ZtsError
from zts_core.sealing import Sealer, open_sealer


class Artifacts(Protocol):
    """Files by digest below a run."""

    def put(self, run_id: str, content: bytes) -> str:
        """Keep `content` and return its SHA-256; free where it is kept already."""

    def get(self, run_id: str, digest: str) -> bytes:
        """The content with this digest; KeyError where it is not kept."""

    def forget(self, run_id: str) -> None:
        """Drop all files of a run."""


def open_artifacts(place: str, *, keys: str = "") -> Artifacts:
    """The files at a folder's path or an fsspec URL, encrypted where there are `keys`; nothing is connected yet."""
    sealer = open_sealer(keys)
    return RemoteArtifacts(place, sealer) if "://" in place else LocalArtifacts(Path(place), sealer)


class LocalArtifacts:
    """Files in a local folder: `<folder>/<run>/<first two digits>/<digest>`."""

    def __init__(self, folder: Path, sealer: Sealer | None = None) -> None:
        self.folder = folder
        self._sealer = sealer or Sealer()

    def put(self, run_id: str, content: bytes) -> str:
        """Keep `content` and return its SHA-256; atomic, and free where it is kept already."""
        digest = hashlib.sha256(content).hexdigest()
        target = self._path(run_id, digest)
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=target.parent)
            with os.fdopen(handle, "wb") as file:
                file.write(self._sealer.seal(content, run_id=run_id, digest=digest))
            Path(name).replace(target)
        return digest

    def get(self, run_id: str, digest: str) -> bytes:
        """The content with this digest; KeyError where it is not kept."""
        try:
            kept = self._path(run_id, digest).read_bytes()
        except FileNotFoundError:
            raise KeyError(digest) from None
        return self._sealer.open(kept, run_id=run_id, digest=digest)

    def forget(self, run_id: str) -> None:
        """Drop all files of a run."""
        shutil.rmtree(self.folder / run_id, ignore_errors=True)

    def _path(self, run_id: str, digest: str) -> Path:
        return self.folder / run_id / digest[:2] / digest


class RemoteArtifacts:
    """The same below an fsspec URL. Connects at the first call; ServiceUnavailable where the place does not answer.

    A file that was cut short while it was written is written again, and never given out: names are digests.
    """

    def __init__(self, url: str, sealer: Sealer | None = None) -> None:
        self.url = url
        self._sealer = sealer or Sealer()

    def put(self, run_id: str, content: bytes) -> str:
        """Keep `content` and return its SHA-256."""
        digest = hashlib.sha256(content).hexdigest()
        kept = self._sealer.seal(content, run_id=run_id, digest=digest)
        with self._translated():
            path = self._path(run_id, digest)
            if not self._fs.exists(path) or self._fs.size(path) != len(kept):
                self._fs.makedirs(path.rpartition("/")[0], exist_ok=True)
                self._fs.pipe_file(path, kept)
        return digest

    def get(self, run_id: str, digest: str) -> bytes:
        """The content with this digest; KeyError where it is not kept."""
        with self._translated():
            try:
                kept = bytes(self._fs.cat_file(self._path(run_id, digest)))
            except FileNotFoundError:
                raise KeyError(digest) from None
        content = self._sealer.open(kept, run_id=run_id, digest=digest)
        if hashlib.sha256(content).hexdigest() != digest:
            raise KeyError(digest)
        return content

    def forget(self, run_id: str) -> None:
        """Drop all files of a run."""
        with self._translated(), contextlib.suppress(FileNotFoundError):
            self._fs.rm(f"{self._root}/{run_id}", recursive=True)

    def _path(self, run_id: str, digest: str) -> str:
        return f"{self._root}/{run_id}/{digest[:2]}/{digest}"

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


def safe_path(path: str) -> str:
    """The path, where it is relative and stays inside its folder; BadInput otherwise."""
    pure = PurePosixPath(path)
    if not path or pure.is_absolute() or ".." in pure.parts or "\0" in path:
        raise BadInput(f"artifact path {path!r} leaves its folder; use a relative path without '..'")
    return str(pure)
