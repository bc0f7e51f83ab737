"""Decides what an agent may do to files: list, read, write and replace text below one folder, within limits.

The folder is kept in memory and laid down on disk for the sandbox only: there is no link to follow and no place
outside of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

Files = dict[str, bytes]


class Refused(ValueError):
    """A move that may not or cannot be made; the text is for the agent."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """What the folder may hold: bytes of a file and of all that is written, files, and lines shown of one at a time."""

    file_bytes: int = 60_000
    written_bytes: int = 400_000
    files: int = 200
    shown_lines: int = 220


class WorkFolder:
    """Files by relative POSIX path; `is_kept` says which an agent may read and not change."""

    def __init__(
        self, files: Mapping[str, bytes], *, is_kept: Callable[[str], bool], sizes: Sizes | None = None
    ) -> None:
        self.files: Files = dict(files)
        self._before: Files = dict(files)
        self._is_kept = is_kept
        self._sizes = sizes or Sizes()
        self._written = 0

    @property
    def changed(self) -> list[str]:
        """Paths whose content is another than at the start, sorted."""
        return sorted(path for path, content in self.files.items() if self._before.get(path) != content)

    def listing(self) -> str:
        """Each file with its size; kept ones are marked."""
        return "\n".join(
            f"{path} ({len(content)} bytes{', kept' if self._is_kept(path) else ''})"
            for path, content in sorted(self.files.items())
        )

    def read(self, path: str, *, first: int = 1) -> str:
        """Lines of a text file from line `first` on."""
        lines = _lines(self._text(self._inside(path)))
        shown = lines[first - 1 : first - 1 + self._sizes.shown_lines]
        left = len(lines) - (first - 1) - len(shown)
        more = [f"[{left} more lines: read from line {first + len(shown)}]"] if left > 0 else []
        return "\n".join([*shown, *more])

    def write(self, path: str, lines: Sequence[str]) -> str:
        """Make or replace a file."""
        path = self._mine(path)
        made = "replaced" if path in self.files else "written"
        self._put(path, "\n".join(lines) + "\n")
        return f"{path} {made}: {len(lines)} lines"

    def replace(self, path: str, find: Sequence[str], lines: Sequence[str]) -> str:
        """Put `lines` in the place of the lines `find`, which must be there exactly once."""
        path = self._mine(path)
        text, find = _lines(self._text(path)), _lines("\n".join(find))
        places = [at for at in range(len(text) - len(find) + 1) if text[at : at + len(find)] == find]
        if len(places) != 1:
            told = "not there" if not places else f"there {len(places)} times"
            raise Refused(
                f"the lines to find are {told} in {path}: give whole lines, exactly as read, with their indent"
            )
        text[places[0] : places[0] + len(find)] = lines
        self._put(path, "\n".join(text) + "\n")
        return f"{path} changed: {len(find)} lines became {len(lines)}"

    def _inside(self, path: str) -> str:
        pure = PurePosixPath(path)
        strange = any(ord(letter) < 32 or letter in '\\:*?"<>|' for letter in path)
        if not path or pure.is_absolute() or ".." in pure.parts or strange or len(path) > 200 or str(pure) == ".":
            raise Refused(f"{path[:80]!r} is no path inside the folder: give a relative one, such as app/reports.py")
        return str(pure)

    def _mine(self, path: str) -> str:
        path = self._inside(path)
        if self._is_kept(path):
            raise Refused(f"{path} is kept as it is: make a file of your own instead")
        if any(other != path and PurePosixPath(path) in PurePosixPath(other).parents for other in self.files):
            raise Refused(f"{path} is a folder")
        if any(str(above) in self.files for above in PurePosixPath(path).parents):
            raise Refused(f"{path} lies below a file")
        return path

    def _text(self, path: str) -> str:
        content = self.files.get(path)
        if content is None:
            raise Refused(f"there is no file {path}: the list shows all")
        if b"\0" in content:
            raise Refused(f"{path} is no text")
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError:
            raise Refused(f"{path} is no text") from None

    def _put(self, path: str, text: str) -> None:
        if "\0" in text:
            raise Refused("only text can be written")
        content = text.encode("utf-8", "replace")
        sizes = self._sizes
        if len(content) > sizes.file_bytes:
            raise Refused(f"a file may have {sizes.file_bytes} bytes, these are {len(content)}: split it")
        if self._written + len(content) > sizes.written_bytes:
            raise Refused(
                f"all of {sizes.written_bytes} bytes that may be written are used: test what is there and end"
            )
        if path not in self.files and len(self.files) >= sizes.files:
            raise Refused(f"there are {len(self.files)} files already, and no more are allowed")
        self._written += len(content)
        self.files[path] = content


def _lines(text: str) -> list[str]:
    """Lines as an agent counts them: other separators than a line feed are part of a line."""
    return text.removesuffix("\n").split("\n")


def laid_down(files: Mapping[str, bytes], folder: Path) -> Path:
    """Write files by relative path below `folder`, which is made; the folder."""
    folder.mkdir(parents=True)
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return folder
