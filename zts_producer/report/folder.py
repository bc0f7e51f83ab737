"""Decides how a run's folder comes into being: whole or not at all, and never over what a person changed in it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex

from zts_core.errors import OutputFolderTaken
from zts_producer.report.gather import ShippedFile

MANIFEST = "run.json"

Read = Callable[[ShippedFile], bytes]


def write_folder(folder: Path, *, reports: Mapping[str, str], files: Sequence[ShippedFile], read: Read) -> Path:
    """Write reports and files below `folder`; a folder that is there already is brought up to date file by file.

    A file that cannot be read any more is left out. Raises OutputFolderTaken where the system says no.
    """
    with _explained(folder):
        if not folder.exists():
            _write_new(folder, reports, files, read)
        else:
            _update(folder, reports, files, read)
    return folder


def _write_new(folder: Path, reports: Mapping[str, str], files: Sequence[ShippedFile], read: Read) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = folder.parent / f".{folder.name}.{token_hex(4)}"
    try:
        draft.mkdir()
        for file in files:
            _put_artifact(draft / file.path, file, read)
        for name, text in reports.items():
            _put(draft / name, text.encode())
        _become(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _become(draft: Path, folder: Path) -> None:
    """Two commands that write the same run at once write the same: the second's draft is simply dropped."""
    try:
        draft.rename(folder)
    except OSError:
        if not (folder / MANIFEST).is_file():
            raise


def _update(folder: Path, reports: Mapping[str, str], files: Sequence[ShippedFile], read: Read) -> None:
    written = _written_before(folder)
    for file in files:
        target = folder / file.path
        if _is_ours(target, written.get(file.path)) and _digest(target) != file.sha256:
            _put_artifact(target, file, read)
    for path in written.keys() - {file.path for file in files}:
        if _is_ours(folder / path, written[path]):
            (folder / path).unlink(missing_ok=True)
    for name, text in reports.items():
        _put(folder / name, text.encode())


def _written_before(folder: Path) -> dict[str, str]:
    """Path -> SHA-256 of the files an earlier export wrote; empty where its manifest cannot be read."""
    try:
        known = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return {str(file["path"]): str(file["sha256"]) for file in known["files"]}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _is_ours(path: Path, digest: str | None) -> bool:
    """Whether a file is missing or still as it was written."""
    return not path.exists() or (digest is not None and _digest(path) == digest)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def _put_artifact(target: Path, file: ShippedFile, read: Read) -> None:
    try:
        content = read(file)
    except KeyError:
        return
    _put(target, content)


def _put(target: Path, content: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.{token_hex(4)}")
    try:
        draft.write_bytes(content)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno).lower() if error.errno else str(error)
        raise OutputFolderTaken(
            f"{folder} cannot be written ({reason}); choose another folder with --out DIR"
        ) from error
