"""Decides where crews' files live: by digest below a run's folder, so that a file is written once and never changed.

A file becomes visible only through the manifest of a committed step; what an attempt wrote and did not commit is
never listed anywhere.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path, PurePosixPath

from zts_core.errors import BadInput


class LocalArtifacts:
    """Files in a local folder: `<folder>/<run>/<first two digits>/<digest>`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, run_id: str, content: bytes) -> str:
        """Keep `content` and return its SHA-256; atomic, and free where it is kept already."""
        digest = hashlib.sha256(content).hexdigest()
        target = self._path(run_id, digest)
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=target.parent)
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            Path(name).replace(target)
        return digest

    def get(self, run_id: str, digest: str) -> bytes:
        """The content with this digest; KeyError where it is not kept."""
        try:
            return self._path(run_id, digest).read_bytes()
        except FileNotFoundError:
            raise KeyError(digest) from None

    def forget(self, run_id: str) -> None:
        """Drop all files of a run."""
        shutil.rmtree(self.folder / run_id, ignore_errors=True)

    def _path(self, run_id: str, digest: str) -> Path:
        return self.folder / run_id / digest[:2] / digest


def safe_path(path: str) -> str:
    """The path, where it is relative and stays inside its folder; BadInput otherwise."""
    pure = PurePosixPath(path)
    if not path or pure.is_absolute() or ".." in pure.parts or "\0" in path:
        raise BadInput(f"artifact path {path!r} leaves its folder; use a relative path without '..'")
    return str(pure)
