"""Decides which faults a first build can be given on purpose, so that anyone can watch the review find them.

A step's `with: {plant_fault: wrong_total}` asks for one. It is a self-test of the feedback loop: the review has to
reject the build and the next build has to repair it.
"""

from __future__ import annotations

from collections.abc import Callable

from zts_core.errors import PermanentError
from zts_worker.crews.building.plans import Blueprint

Files = dict[str, str]


def plant(fault: str, files: Files, blueprint: Blueprint) -> Files:
    """`files` with the fault called `fault`; PermanentError where there is none of that name."""
    planter = _FAULTS.get(fault)
    if planter is None:
        raise PermanentError(f"plant_fault is {fault!r}: use one of {', '.join(FAULTS)}")
    return planter(dict(files), blueprint)


def _wrong_total(files: Files, blueprint: Blueprint) -> Files:
    return _swap(files, f"{blueprint.package}/store.py", "total=int(total)", "total=int(total) + 1")


def _missing_file(files: Files, blueprint: Blueprint) -> Files:
    del files[f"{blueprint.package}/entities/{blueprint.entities[0].module}.py"]
    return files


def _unsafe_call(files: Files, blueprint: Blueprint) -> Files:
    path = f"{blueprint.package}/fields.py"
    return _swap(files, path, 'value = float(text.replace(",", "."))', "value = float(eval(text))")


def _secret(files: Files, blueprint: Blueprint) -> Files:
    path = f"{blueprint.package}/server.py"
    # Put together here, so that this very file does not look like a leak.
    leak = f'AWS_ACCESS_KEY_ID = "{"AKIA" + "J4QX7LZP2VWN5RTC"}"'
    return _swap(files, path, "LOG = logging.getLogger(__name__)", f"{leak}\nLOG = logging.getLogger(__name__)")


def _swap(files: Files, path: str, old: str, new: str) -> Files:
    if old not in files[path]:
        raise PermanentError(f"the fault has no place in {path} any more: {old!r} is not there")
    files[path] = files[path].replace(old, new, 1)
    return files


_FAULTS: dict[str, Callable[[Files, Blueprint], Files]] = {
    "missing_file": _missing_file,
    "secret": _secret,
    "unsafe_call": _unsafe_call,
    "wrong_total": _wrong_total,
}
FAULTS = tuple(_FAULTS)
