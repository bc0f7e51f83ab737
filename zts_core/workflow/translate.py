"""Decides what an author is told where a file does not fit the language's models: place, value and cure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from zts_core.workflow import codes
from zts_core.workflow.closest import closest
from zts_core.workflow.model import TERMINAL_STATES, Workflow
from zts_core.workflow.place import Place
from zts_core.workflow.plain_text import cut
from zts_core.workflow.problems import Problem
from zts_core.workflow.spots import Spot

MAX_PROBLEMS = 200
"""Most problems told of one file."""

NAMELESS = "(no name)"
"""What problems call a workflow whose name is missing."""

SHOWN = 60
"""Characters of a value that a complaint shows."""

Detail = Mapping[str, Any]
"""One entry of pydantic's `errors()`."""

_NODE_KEYS = ("state", "parallel", "loop", "foreach", "approval", "call", "sequence")
_SAME_OPERATOR = {"=": "==", "<>": "!=", "=>": ">=", "=<": "<=", "not in": "not_in", "=~": "matches", "===": "=="}
_CHOICES = {
    "on_fail": ("skip", "stop", "{escalate_to: WORKFLOW}"),
    "on_exhausted": ("stop", "continue", "{escalate_to: WORKFLOW}"),
}
_PATTERNS = {
    "state": "write capitals, digits and underscores, such as IDEA_VALIDATION",
    "state_prefix": "write capitals, digits and underscores, such as FEEDBACK",
    "name": "write small letters, digits and underscores, such as my_workflow",
    "workflow": "write the name of a workflow, such as rapid_prototype",
    "escalate_to": "write the name of a workflow, such as rapid_prototype",
    "field": "write a crew's namespace and a field, such as validation.confidence",
    "over": "write a crew's namespace and a field that is a list, such as graph.tasks",
    "as": "write a name in small letters, such as task",
}


def read_workflow(key: str | None, raw: Any, spot: Spot, *, file: str) -> tuple[str, Workflow | None, list[Problem]]:
    """The workflow that `raw` defines, under the name by which its problems call it, and its problems.

    `key` is its name in a mapping of workflows, None where the file holds it alone.
    """
    if not isinstance(raw, dict):
        problem = codes.WRONG_TYPE.at(
            str(key), f"a workflow is a mapping, and this is a {spot.read_as}", "write `sequence:` below the name"
        )
        return str(key), None, [_placed(problem, spot, file)]
    named = raw.get("name")
    problems = []
    if key is not None:
        if named not in (None, key):
            message = f"the workflow is called {key} by its key and {_shown(named)} by its `name`"
            problem = codes.OTHER_NAME.at(f"{key}/name", message, f"write `name: {key}`, or leave it out")
            problems.append(_placed(problem, spot.child("name") or spot, file))
        raw = {**raw, "name": key}
    label = key if key is not None else named if isinstance(named, str) and named else NAMELESS
    try:
        return label, Workflow.model_validate(raw), problems
    except ValidationError as error:
        details = [detail for detail in error.errors(include_url=False) if not _is_an_echo(detail)]
    problems.extend(_placed(*entry, file) for entry in _translated(details[:MAX_PROBLEMS], raw, spot, label))
    if len(details) > MAX_PROBLEMS:
        rest = f"{len(details) - MAX_PROBLEMS} more problems"
        problems.append(_placed(codes.TOO_MUCH.at(label, rest, "cure the others first"), spot, file))
    return label, None, problems


def _placed(problem: Problem, spot: Spot, file: str) -> Problem:
    return Problem(
        problem.code, problem.severity, problem.message, problem.cure, path=problem.path, file=file, line=spot.line
    )


def _translated(details: Sequence[Detail], raw: Any, spot: Spot, label: str) -> Iterator[tuple[Problem, Spot]]:
    seen = set()
    for detail in details:
        place = Place(detail["loc"], raw, spot, label)
        if (place.path, detail["type"]) in seen:
            continue
        seen.add((place.path, detail["type"]))
        yield _translate(detail, place), place.spot


def _is_an_echo(detail: Detail) -> bool:
    """Whether pydantic only repeats another error: an alternative that was not meant, or a list emptied by errors."""
    given = detail["input"]
    tag = detail["loc"][-1] if detail["loc"] else ""
    if detail["type"] == "literal_error" and str(tag).startswith("literal["):
        return isinstance(given, dict)
    if detail["type"] == "model_type" and tag == "EscalateTo":
        return True
    return detail["type"] == "too_short" and bool(given)


def _translate(detail: Detail, place: Place) -> Problem:
    translate = _TRANSLATIONS.get(detail["type"], _other)
    return translate(detail, place)


def _missing(detail: Detail, place: Place) -> Problem:
    key = detail["loc"][-1]
    cure = f"add `{key}: ...`"
    state = place.data.get("state") if isinstance(place.data, dict) else None
    if key == "crew" and isinstance(state, str):
        ends = ", ".join(TERMINAL_STATES)
        close = _close(state, TERMINAL_STATES)
        cure = f"did you mean `state: {close}`?" if close else f"name one (only {ends} need none)"
    elif key == "state" and isinstance(place.data, dict):
        meant = next((found for word in place.data if (found := _close(word, _NODE_KEYS))), "")
        cure = f"did you mean `{meant}`?" if meant else f"a node has one of {', '.join(_NODE_KEYS)}"
    return codes.MISSING_KEY.at(place.path, f"`{key}` is missing", cure)


def _close(word: Any, known: Sequence[str]) -> str:
    """The known word that `word` may be meant to be, empty where none is close or it is one of them."""
    return "" if word in known else next(iter(closest(str(word), known, 1)), "")


def _extra(detail: Detail, place: Place) -> Problem:
    key = str(detail["loc"][-1])
    known = [field.alias or name for name, field in place.model.model_fields.items()]
    close = _close(key, known)
    cure = f"did you mean `{close}`?" if close else f"remove it; known here: {', '.join(known)}"
    return codes.UNKNOWN_KEY.at(place.path, f"the key `{cut(key, SHOWN)}` is unknown here", cure)


def _wrong_type(expected: str, cure: str) -> Callable[[Detail, Place], Problem]:
    def translate(_detail: Detail, place: Place) -> Problem:
        return codes.WRONG_TYPE.at(place.path, f"{expected} was expected, and {_read(place)}", cure)

    return translate


def _text(_detail: Detail, place: Place) -> Problem:
    message = f"text was expected, and {_read(place)}"
    cure = "write text"
    if place.spot.read_as in ("bool", "number", "date", "null") and place.spot.written:
        cure = f"write '{cut(place.spot.written, SHOWN)}' in quotes"
    return codes.WRONG_TYPE.at(place.path, message, cure)


def _number(detail: Detail, place: Place) -> Problem:
    whole = "int" in str(detail["type"])
    message = f"a {'whole ' if whole else ''}number was expected, and {_read(place)}"
    cure = "write a number"
    if place.spot.quoted:
        cure = f"write {cut(place.spot.written, SHOWN)} without quotes"
    return codes.WRONG_TYPE.at(place.path, message, cure)


def _mapping(_detail: Detail, place: Place) -> Problem:
    cure = "write `key: value` lines below it"
    if place.data is None:
        cure = f"indent what belongs to `{place.key}` further than `{place.key}` itself"
    return codes.WRONG_TYPE.at(place.path, f"a mapping was expected, and {_read(place)}", cure)


def _choice(_detail: Detail, place: Place) -> Problem:
    allowed = _CHOICES.get(place.key) or _allowed(place.model, place.key)
    close = _SAME_OPERATOR.get(str(place.data), "") or _close(place.data, allowed)
    cure = f"did you mean `{close}`?" if close else f"write one of: {', '.join(allowed)}"
    if place.key == "operator" and not place.spot.written.strip():
        cure = "write operators such as '>' in quotes: YAML takes a bare > for the start of a text"
    if place.spot.read_as == "bool" and not place.spot.quoted:
        cure = f"{cure} (YAML reads {place.spot.written} as a bool)"
    return codes.WRONG_VALUE.at(place.path, f"{_shown(place.data)} is not allowed", cure)


def _allowed(owner: type[BaseModel], key: str) -> tuple[str, ...]:
    """The words a field allows."""
    if key == "state":
        return TERMINAL_STATES
    return tuple(_words(owner.model_fields[key].annotation)) if key in owner.model_fields else ()


def _words(annotation: Any) -> Iterator[str]:
    """The texts of all literals in an annotation, however it is nested."""
    for argument in get_args(annotation):
        if isinstance(argument, str):
            yield argument
        else:
            yield from _words(argument)


def _pattern(_detail: Detail, place: Place) -> Problem:
    cure = _PATTERNS.get(place.key, "write it as the documentation has it")
    return codes.WRONG_VALUE.at(place.path, f"{_shown(place.data)} is no `{place.key}`", cure)


def _range(detail: Detail, place: Place) -> Problem:
    (relation, limit), *_ = detail["ctx"].items()
    words = {"gt": "more than", "ge": "at least", "lt": "less than", "le": "at most"}
    cure = f"write a number that is {words[relation]} {limit:g}"
    return codes.WRONG_VALUE.at(place.path, f"{_shown(place.data)} is not {words[relation]} {limit:g}", cure)


def _empty(_detail: Detail, place: Place) -> Problem:
    return codes.WRONG_VALUE.at(place.path, "it is empty", "write at least one entry")


def _other(detail: Detail, place: Place) -> Problem:
    return codes.WRONG_VALUE.at(place.path, str(detail["msg"]), "write it as the documentation has it")


def _no_body(detail: Detail, place: Place) -> Problem:
    return codes.MISSING_KEY.at(place.path, str(detail["msg"]), "add `crew: NAME` or `sequence: [...]` to it")


def _plain(detail: Detail, place: Place) -> Problem:
    return codes.ODD_TYPE.at(place.path, str(detail["msg"]), "use text, numbers, booleans, lists and mappings")


_TRANSLATIONS: Mapping[str, Callable[[Detail, Place], Problem]] = {
    "missing": _missing,
    "extra_forbidden": _extra,
    "string_type": _text,
    "int_type": _number,
    "int_from_float": _number,
    "float_type": _number,
    "tuple_type": _wrong_type("a list", "start each entry with a dash"),
    "model_type": _mapping,
    "dict_type": _mapping,
    "literal_error": _choice,
    "string_pattern_mismatch": _pattern,
    "greater_than": _range,
    "greater_than_equal": _range,
    "less_than": _range,
    "less_than_equal": _range,
    "too_short": _empty,
    "string_too_short": _empty,
    "plain": _plain,
    "no_body": _no_body,
}


def _read(place: Place) -> str:
    """What YAML read at a place, with what was written where the two look different."""
    spot = place.spot
    if isinstance(place.data, dict | list):
        return f"a {spot.read_as} was read"
    if spot.read_as == "null":
        return "nothing was read" if not spot.written else f"`{spot.written}` was read as null"
    if spot.read_as == "text":
        return f"the text {_shown(place.data)} was read"
    return f"`{cut(spot.written, SHOWN)}` was read as the {spot.read_as} {_shown(place.data)}"


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{cut(value, SHOWN)}"' if isinstance(value, str) else cut(str(value), SHOWN)
