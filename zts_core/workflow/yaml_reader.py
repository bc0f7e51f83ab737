"""Decides how YAML text becomes data: read once, with the place of every value, and within firm limits.

The text is read event by event and never handed to a general composer, so that the limits hold while it is read:
nothing is built that is too deep or too much, and an alias can neither contain itself nor multiply without end.
The values are those of `yaml.safe_load`. This is the only module that knows the YAML library.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml

from zts_core.workflow import codes
from zts_core.workflow.plain_text import cut
from zts_core.workflow.problems import Problem
from zts_core.workflow.spots import Spot

MAX_DEPTH = 64
"""Deepest nesting of YAML values."""

MAX_VALUES = 50_000
"""Most values in a file, those that aliases repeat counted each time."""

MAX_KEY = 200
"""Longest key of a mapping, in characters."""

MAX_NUMBER = 100
"""Longest number or date, in characters: converting very long ones takes time without end."""

SHOWN = 40
"""Characters of a value that a complaint shows."""

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_READ_AS = {"str": "text", "int": "number", "float": "number", "bool": "bool", "null": "null", "timestamp": "date"}
_TAG = "tag:yaml.org,2002:"


class Unreadable(Exception):
    """Reading cannot go on."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


@dataclass(slots=True)
class _Built:
    """A finished value, how many values it stands for and how deep it is."""

    data: Any
    spot: Spot
    size: int = 1
    height: int = 1


@dataclass(slots=True)
class _Open:
    """A mapping or list that is being read; `key` waits for its value."""

    is_mapping: bool
    line: int
    anchor: str | None
    data: Any
    inside: Any
    key: _Built | None = None
    merged: list[_Built] = field(default_factory=list)
    size: int = 1
    height: int = 1


class Reader:
    """Builds data and spots from YAML's events."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self.anchors: dict[str, _Built | None] = {}
        self.stack: list[_Open] = []
        self.values = 0
        self.root: _Built | None = None

    def read(self, text: str) -> tuple[Any, Spot]:
        """The one document of the text; `Unreadable` where reading cannot go on."""
        try:
            loader = _Loader(text)
            try:
                while loader.check_event():
                    self.take(loader, loader.get_event())
            finally:
                loader.dispose()
        except yaml.YAMLError as error:
            raise Unreadable(_syntax_problem(error, self.file)) from None
        if self.root is None:
            return None, Spot(1, "null")
        return self.root.data, self.root.spot

    def take(self, loader: Any, event: Any) -> None:
        match event:
            case yaml.ScalarEvent():
                self.add(self.scalar(loader, event), event)
            case yaml.AliasEvent():
                self.add(self.alias(event), event)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self.open(event)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self.close(event)
            case yaml.DocumentStartEvent() if self.root is not None:
                self.stop(codes.NOT_YAML, event, "it holds several documents", "keep one: remove the `---`")

    # -- values

    def scalar(self, loader: Any, event: Any) -> _Built:
        tag = event.tag
        if tag is None or tag == "!":
            tag = loader.resolve(yaml.ScalarNode, event.value, event.implicit)
        kind = tag.removeprefix(_TAG)
        kind = "str" if kind in ("value", "merge") else kind
        data = self.construct(loader, event, kind)
        spot = Spot(
            line=event.start_mark.line + 1,
            read_as=_READ_AS.get(kind, "text"),
            written=event.value,
            quoted=event.style in ("'", '"', "|"),
        )
        built = _Built(data, spot)
        self.remember(event.anchor, built)
        return built

    def construct(self, loader: Any, event: Any, kind: str) -> Any:
        """The value of a scalar, as `safe_load` has it."""
        if kind == "str":
            return event.value
        if kind not in _READ_AS:
            self.odd_tag(event, kind)
            return event.value
        node = yaml.ScalarNode(_TAG + kind, event.value, event.start_mark, event.end_mark)
        try:
            if len(event.value) > MAX_NUMBER:
                raise ValueError(event.value)
            value = _Loader.yaml_constructors[_TAG + kind](loader, node)
        except (ValueError, KeyError, OverflowError, IndexError, yaml.YAMLError):
            message = f"`{cut(event.value, SHOWN)}` looks like a {_READ_AS[kind]} and is none"
            self.note(codes.ODD_TYPE, event, message, f"write '{cut(event.value, SHOWN)}' in quotes")
            return event.value
        if kind in ("int", "float") and ":" in event.value:
            message = f"YAML reads `{cut(event.value, SHOWN)}` as the number {value} (base 60)"
            cure = f"write {value}, or '{cut(event.value, SHOWN)}' in quotes"
            self.note(codes.ODD_NUMBER, event, message, cure)
        return value

    def odd_tag(self, event: Any, kind: str) -> None:
        shown = f"!{kind.lstrip('!')}" if kind.startswith("!") else f"!!{kind}"
        if kind == "!=":
            self.note(codes.ODD_TYPE, event, f"YAML reads `{kind}` as a tag", f"write '{kind}' in quotes")
            return
        message = f"the tag `{cut(shown, SHOWN)}` makes a type the language does not use"
        self.note(codes.ODD_TYPE, event, message, "use text, numbers, booleans, lists and mappings")

    def alias(self, event: Any) -> _Built:
        found = self.anchors.get(event.anchor)
        if event.anchor not in self.anchors:
            cure = f"write `&{event.anchor}` where the value is defined, before it is used"
            self.stop(codes.NOT_YAML, event, f"nothing is anchored as `&{event.anchor}`", cure)
        if found is None:
            message = f"`*{event.anchor}` stands inside `&{event.anchor}`"
            self.stop(codes.SELF_REFERENCE, event, message, "write the inner value out")
            raise AssertionError  # stop() has raised
        return found

    def remember(self, anchor: str | None, built: _Built | None) -> None:
        if anchor is not None:
            self.anchors[anchor] = built

    # -- structure

    def open(self, event: Any) -> None:
        is_mapping = isinstance(event, yaml.MappingStartEvent)
        if event.tag not in (None, "!", _TAG + ("map" if is_mapping else "seq")):
            self.odd_tag(event, event.tag.removeprefix(_TAG))
        if len(self.stack) >= MAX_DEPTH:
            self.stop(codes.TOO_MUCH, event, f"values are nested deeper than {MAX_DEPTH}", "nest less")
        self.remember(event.anchor, None)
        empty: Any = {} if is_mapping else []
        self.stack.append(_Open(is_mapping, event.start_mark.line + 1, event.anchor, empty, type(empty)()))

    def close(self, event: Any) -> None:
        done = self.stack.pop()
        for merged in done.merged:
            for key, value in merged.data.items():
                if key not in done.data:
                    done.data[key], done.inside[key] = value, merged.spot.child(key)
        kind = "mapping" if done.is_mapping else "list"
        built = _Built(done.data, Spot(done.line, kind, inside=done.inside), done.size, done.height)
        self.remember(done.anchor, built)
        self.add(built, event, fresh=True)

    def add(self, built: _Built, event: Any, *, fresh: bool = False) -> None:
        """Put a finished value where it belongs; `fresh` ones have been counted while they were read."""
        if not fresh or not built.spot.inside:
            self.values += built.size
        if self.values > MAX_VALUES:
            cure = "write less, or split the file"
            self.stop(codes.TOO_MUCH, event, f"it holds more than {MAX_VALUES} values", cure)
        if not self.stack:
            self.root = built
            return
        around = self.stack[-1]
        around.size += built.size
        around.height = max(around.height, built.height + 1)
        if len(self.stack) + built.height > MAX_DEPTH:
            self.stop(codes.TOO_MUCH, event, f"values are nested deeper than {MAX_DEPTH}", "nest less")
        if not around.is_mapping:
            around.data.append(built.data)
            around.inside.append(built.spot)
        elif around.key is None:
            around.key = built
        else:
            key, around.key = around.key, None
            self.put(around, key, built, event)

    def put(self, around: _Open, key: _Built, value: _Built, event: Any) -> None:
        written = key.spot.written
        if len(written) > MAX_KEY:
            self.stop(codes.TOO_MUCH, event, f"a key has more than {MAX_KEY} characters", "write a shorter one")
        if written == "<<" and not key.spot.quoted:
            self.merge(around, value, event)
            return
        if not isinstance(key.data, str):
            self.odd_key(key)
        if written in around.data:
            cure = "keep one of the two"
            first = around.inside[written].line
            message = f"the key `{cut(written, SHOWN)}` is written a second time, after line {first}"
            self.note(codes.DUPLICATE_KEY, event, message, cure, line=key.spot.line)
            return
        around.data[written] = value.data
        around.inside[written] = value.spot

    def odd_key(self, key: _Built) -> None:
        read_as, written = key.spot.read_as, cut(key.spot.written, SHOWN)
        where = key.spot.line
        message = f"a key is a {read_as}"
        cure = "use text as a key"
        if read_as not in ("mapping", "list"):
            message, cure = f"YAML reads the key `{written}` as a {read_as}", f"write '{written}' in quotes"
        self.note(codes.ODD_TYPE, None, message, cure, line=where)

    def merge(self, around: _Open, value: _Built, event: Any) -> None:
        parts = [value]
        if isinstance(value.data, list):
            spots = [spot for spot in value.spot.inside if isinstance(spot, Spot)]
            parts = [_Built(data, spot) for data, spot in zip(value.data, spots, strict=True)]
        if all(isinstance(part.data, dict) for part in parts):
            around.merged.extend(parts)
            return
        cure = "write `<<: *name`, where `&name` is a mapping"
        self.note(codes.NOT_YAML, event, "`<<` takes mappings only", cure)

    # -- complaints

    def problem(self, code: codes.Code, event: Any, message: str, cure: str, line: int = 0) -> Problem:
        return code.at("", message, cure, file=self.file, line=line or event.start_mark.line + 1)

    def note(self, code: codes.Code, event: Any, message: str, cure: str, *, line: int = 0) -> None:
        self.problems.append(self.problem(code, event, message, cure, line))

    def stop(self, code: codes.Code, event: Any, message: str, cure: str) -> None:
        raise Unreadable(self.problem(code, event, message, cure))


def _syntax_problem(error: yaml.YAMLError, file: str) -> Problem:
    mark = getattr(error, "problem_mark", None)
    said = getattr(error, "problem", None) or str(error).splitlines()[0]
    context = getattr(error, "context", None)
    cure = "check the indentation, the colons and the quotes there"
    if "cannot start any token" in said:
        cure = "indent with spaces, not with tabs, and write text that starts with @, ` or % in quotes"
    elif "scanning a tag" in str(context):
        cure = "write operators such as '!=' in quotes"
    elif "block scalar" in str(context):
        cure = "write operators such as '>=' in quotes"
    message = f"{said} ({context})" if context else str(said)
    return codes.NOT_YAML.at("", message, cure, file=file, line=mark.line + 1 if mark else 0)
