"""Decides which calls in Python code let data become commands: found in the syntax tree, never by running."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

_NEVER = {
    "eval": "runs text as code",
    "exec": "runs text as code",
    "__import__": "imports by a name made while running",
    "os.system": "runs text in a shell",
    "os.popen": "runs text in a shell",
    "subprocess.getoutput": "runs text in a shell",
    "subprocess.getstatusoutput": "runs text in a shell",
    "pickle.load": "runs what the data says",
    "pickle.loads": "runs what the data says",
    "pickle.Unpickler": "runs what the data says",
    "marshal.load": "runs what the data says",
    "marshal.loads": "runs what the data says",
    "shelve.open": "runs what the data says",
    "yaml.unsafe_load": "runs what the data says",
    "tempfile.mktemp": "names a file that others can make first",
}
_SHELLS = frozenset({"subprocess.run", "subprocess.call", "subprocess.check_call", "subprocess.check_output"})
_SHELLS |= {"subprocess.Popen"}
_STATEMENTS = frozenset({"execute", "executemany", "executescript"})


@dataclass(frozen=True)
class UnsafeCall:
    """A call at a line (from 1), with the reason in a few words."""

    call: str
    line: int
    reason: str


def unsafe_calls(source: bytes) -> Iterator[UnsafeCall]:
    """Every unsafe call in a module; nothing where it does not parse."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return
    names = _imported(tree)
    built = _built_texts(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from _judge(node, names, built)


def _judge(node: ast.Call, names: dict[str, str], built: frozenset[str]) -> Iterator[UnsafeCall]:
    called = _dotted(node.func, names)
    if called.removeprefix("builtins.") in _NEVER:
        called = called.removeprefix("builtins.")
        yield UnsafeCall(called, node.lineno, _NEVER[called])
    elif called in _SHELLS and _says(node, "shell", True):
        yield UnsafeCall(called, node.lineno, "runs text in a shell (shell=True)")
    elif called == "yaml.load" and not _safe_loader(node):
        yield UnsafeCall(called, node.lineno, "runs what the data says (no safe loader)")
    elif called.rpartition(".")[2] in _STATEMENTS and node.args and _is_built(node.args[0], built):
        yield UnsafeCall(called.rpartition(".")[2], node.lineno, "runs SQL put together from parts")


def _imported(tree: ast.Module) -> dict[str, str]:
    """Local name -> dotted name, for what the module imports."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                names[name.asname or name.name.partition(".")[0]] = (
                    name.name if name.asname else name.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {name.asname or name.name: f"{node.module}.{name.name}" for name in node.names}
    return names


def _dotted(node: ast.expr, names: dict[str, str]) -> str:
    if isinstance(node, ast.Name):
        return names.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value, names)}.{node.attr}"
    return ""


def _says(node: ast.Call, keyword: str, value: object) -> bool:
    return any(
        item.arg == keyword and not (isinstance(item.value, ast.Constant) and item.value.value != value)
        for item in node.keywords
    )


def _safe_loader(node: ast.Call) -> bool:
    loaders = [item.value for item in node.keywords if item.arg == "Loader"] + node.args[1:2]
    return any("Safe" in ast.unparse(loader) for loader in loaders)


def _built_texts(tree: ast.Module) -> frozenset[str]:
    """Names that are given a text put together from parts."""
    return frozenset(
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and _is_built(node.value, frozenset())
        for target in node.targets
        if isinstance(target, ast.Name)
    )


def _is_built(node: ast.expr, built: frozenset[str]) -> bool:
    if isinstance(node, ast.JoinedStr):
        return any(isinstance(part, ast.FormattedValue) for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod):
        return _has_text(node) and not _all_constant(node)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.attr == "format" and isinstance(node.func.value, ast.Constant)
    return isinstance(node, ast.Name) and node.id in built


def _has_text(node: ast.expr) -> bool:
    return any(isinstance(part, ast.JoinedStr) or _is_text(part) for part in ast.walk(node))


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _all_constant(node: ast.expr) -> bool:
    return all(isinstance(part, ast.BinOp | ast.Constant | ast.operator) for part in ast.walk(node))
