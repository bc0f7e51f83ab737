"""Decides what can be said about a project by reading its files alone: syntax, imports, habits, leaks, unsafe calls."""

from __future__ import annotations

import ast
import json
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from zts_worker.crews.examining.findings import Finding
from zts_worker.crews.examining.secrets import leaks
from zts_worker.crews.examining.unsafe import unsafe_calls
from zts_worker.crews.sandbox import Limits, run_sandboxed

_MOST_TEXT = 1_000_000
_UNDEFINED = frozenset({"F821", "F822", "F823"})


def read_code(files: Mapping[str, bytes]) -> Iterator[Finding]:
    """Every finding but those of a linter."""
    for path, content in files.items():
        if path.endswith(".py"):
            yield from _syntax(path, content)
            yield from _missing_modules(path, content, files)
            for call in unsafe_calls(content):
                message = f"{call.call} in line {call.line}: {call.reason}"
                yield Finding("unsafe_call", path, message, key=call.call, line=call.line)
        if len(content) <= _MOST_TEXT and b"\0" not in content:
            for leak in leaks(content.decode("utf-8", "replace")):
                message = f"{leak.what} in line {leak.line}: {leak.hint}"
                yield Finding("secret", path, message, key=leak.what, line=leak.line)


def _syntax(path: str, content: bytes) -> Iterator[Finding]:
    try:
        ast.parse(content)
    except (SyntaxError, ValueError) as reason:
        line = getattr(reason, "lineno", 0) or 0
        yield Finding("syntax_error", path, f"not valid Python: {reason}", line=line)


def _missing_modules(path: str, content: bytes, files: Mapping[str, bytes]) -> Iterator[Finding]:
    """Modules of the project's own packages that are imported and not there."""
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError):
        return
    packages = {PurePosixPath(other).parts[0] for other in files if other.count("/") and other.endswith(".py")}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or node.level):
            base = list(PurePosixPath(path).parts[: -node.level]) if node.level else []
            parts = base + (node.module.split(".") if node.module else [])
            if parts and parts[0] in packages and not _is_module(parts, files):
                missing = "/".join(parts) + ".py"
                yield Finding("missing_file", missing, f"{missing} is imported by {path} and is not there")


def _is_module(parts: list[str], files: Mapping[str, bytes]) -> bool:
    stem = "/".join(parts)
    return f"{stem}.py" in files or any(path.startswith(f"{stem}/") for path in files)


def missing_files(files: Mapping[str, bytes], promised: Mapping[str, str]) -> Iterator[Finding]:
    """Files the build lists (path -> SHA-256) that are not there."""
    for path in promised:
        if path not in files:
            yield Finding("missing_file", path, f"{path} is listed by the build and is not there")


def lint(files: Mapping[str, bytes], folder: Path) -> tuple[list[Finding], str]:
    """Findings of ruff where the worker has it, else of the few checks below; and which of them it was.

    `folder` holds the project; it is only read.
    """
    ruff = shutil.which("ruff") or _beside_the_interpreter("ruff")
    if ruff:
        found = _ruff(Path(ruff), folder)
        if found is not None:
            return found, "ruff E,F,W"
    return [finding for path, content in files.items() for finding in _habits(path, content)], "built-in checks"


def _beside_the_interpreter(name: str) -> str | None:
    return shutil.which(name, path=str(Path(sys.executable).parent))


def _ruff(ruff: Path, folder: Path) -> list[Finding] | None:
    command = [str(ruff), "check", "--no-cache", "--select=E,F,W", "--output-format=json", "--exit-zero", "."]
    limits = Limits(output_bytes=2 << 20)
    result = run_sandboxed(command, folder=folder, timeout_s=30, limits=limits, readable=[ruff.resolve()])
    try:
        rows = json.loads(result.stdout)
    except ValueError:
        return None
    return [_from_ruff(row) for row in rows if row.get("code") not in (None, "invalid-syntax")]


def _from_ruff(row: Mapping[str, object]) -> Finding:
    code, told = str(row["code"]), str(row["message"])
    place = row.get("location")
    line = int(place.get("row", 0)) if isinstance(place, Mapping) else 0
    path = str(row["filename"])
    kind = "undefined_name" if code in _UNDEFINED else "lint"
    return Finding(kind, path.removeprefix("./"), f"{code} in line {line}: {told}", key=f"{code} {told}", line=line)


def _habits(path: str, content: bytes) -> Iterator[Finding]:
    if not path.endswith(".py"):
        return
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        told = _bad_habit(node)
        if told:
            line = getattr(node, "lineno", 0)
            yield Finding("lint", path, f"line {line}: {told}", key=told, line=line)
    if not path.endswith("__init__.py"):
        for name in sorted(_unused_imports(tree)):
            yield Finding("lint", path, f"{name} is imported and not used", key=name)


def _bad_habit(node: ast.AST) -> str:
    if isinstance(node, ast.ExceptHandler) and node.type is None:
        return "a bare except catches even the wish to stop"
    if isinstance(node, ast.ImportFrom) and any(name.name == "*" for name in node.names):
        return "a star import hides where names come from"
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        defaults = [*node.args.defaults, *(item for item in node.args.kw_defaults if item)]
        if any(isinstance(item, ast.List | ast.Dict | ast.Set) for item in defaults):
            return "a default value that can change is shared by all calls"
    return ""


def _unused_imports(tree: ast.Module) -> set[str]:
    imported = {
        (name.asname or name.name).partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import) or (isinstance(node, ast.ImportFrom) and node.module != "__future__")
        for name in node.names
    }
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    named = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return imported - used - named - {"*"}
