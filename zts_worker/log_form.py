"""Decides how a log line is written: who says it about which run in each, no secrets, no payloads."""

from __future__ import annotations

import copy
import json
import logging
import os
import re
import socket
from collections.abc import Callable
from datetime import UTC, datetime

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

_PASSWORD_IN_URL = re.compile(r"(://[^\s:/@]*:)[^\s@/]+@")
_SECRET_NAME = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)$", re.IGNORECASE)
SHORTEST_SECRET = 8
"""Shorter values of secret variables are left alone: they would be found inside of ordinary words."""
LONGEST_LINE = 500
"""Characters of a message, and of each line of a traceback: an exception's text may hold what a crew worked on."""

HIDDEN = "***"


def formatter(form: str, *, colors: bool = False) -> logging.Formatter:
    """A formatter for any handler; `form` is `json` (one object a line) or `console`."""
    redactor = Redactor(secrets_of(os.environ))
    common: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(allow=_EXTRA),
        _add_message,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_worker,
        structlog.processors.format_exc_info,
        redactor,
    ]
    whole = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=common,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _renderer(form, colors=colors)],
    )
    return whole if colors else Quick(whole, redactor, _json if form == "json" else _console)


class Quick(logging.Formatter):
    """Writes what almost every line is, a text without a traceback, as `whole` does in a third of the time.

    Celery tells two lines of each message, so their form is the dearest part of a worker's logging.
    """

    def __init__(self, whole: logging.Formatter, redactor: Redactor, render: Callable[[EventDict], str]) -> None:
        super().__init__()
        self._whole = whole
        self._redactor = redactor
        self._render = render

    def format(self, record: logging.LogRecord) -> str:
        """The line for a record."""
        if record.exc_info or record.stack_info or not isinstance(record.msg, str):
            return self._whole.format(record)
        line: EventDict = {"event": record.getMessage(), **structlog.contextvars.get_contextvars()}
        line["level"] = record.levelname.lower()
        line["logger"] = record.name
        about = record.__dict__
        for name in _EXTRA:
            if name in about:
                line[name] = about[name]
        if (data := about.get("data")) is not None:
            _add_arguments(data, line)
        line["timestamp"] = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        line["worker"] = f"{_HOST}:{os.getpid()}"
        clean = self._redactor.clean
        return self._render({name: clean(value) if isinstance(value, str) else value for name, value in line.items()})


class Discreet(logging.Formatter):
    """Writes a line without what a run is about: where content is encrypted, a worker's own log must not hold it.

    Lines of crews, and texts of errors, are kept encrypted with their run; here it only says that there were some.
    """

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self._inner = inner

    def format(self, record: logging.LogRecord) -> str:
        """The line for a record."""
        run = structlog.contextvars.get_contextvars().get("run")
        crews = run is not None and not record.name.startswith(_ENGINE)
        error = record.exc_info[0] if record.exc_info else None
        if not (crews or error):
            return self._inner.format(record)
        told = copy.copy(record)
        words = f"(kept with the run: zts logs {run})" if crews else record.getMessage()
        told.msg = f"{words}: {error.__name__}" if error else words
        told.args, told.exc_info, told.exc_text, told.stack_info = (), None, None, None
        return self._inner.format(told)


_ENGINE = ("zts_worker.step_runner", "zts_worker.tasks", "zts_core.", "celery.app", "celery.worker", "kombu.")
"""Loggers whose lines tell of a run by its numbers and names only."""
_EXTRA = ("run", "state", "attempt")
_ENCODE = json.JSONEncoder(ensure_ascii=False, default=repr).encode
_ODD = frozenset(" \t=\r\n\"'")
"""Letters for which the console's form puts a value into quotes."""


def _json(line: EventDict) -> str:
    return _ENCODE(line)


def _console(line: EventDict) -> str:
    told = f"{line.pop('timestamp')} [{line.pop('level'):9}] {line.pop('event')} [{line.pop('logger')}]"
    return " ".join([told, *(f"{name}={_shown(line[name])}" for name in sorted(line))])


def _shown(value: object) -> str:
    return repr(value) if not isinstance(value, str) or _ODD.intersection(value) else value


def _renderer(form: str, *, colors: bool) -> Processor:
    if form == "json":
        return structlog.processors.JSONRenderer(ensure_ascii=False)
    return structlog.dev.ConsoleRenderer(
        colors=colors, pad_event_to=0, exception_formatter=structlog.dev.plain_traceback
    )


_MESSAGE = re.compile(
    r"\((?P<run>\w+)(?: #(?P<step>\d+))?(?: (?P<state>\S+))?(?: (?P<crew>\S+))?(?: attempt (?P<attempt>\d+))?\)"
)
"""How `zts_core.celery_queue` lets a message's arguments be shown."""


def _add_message(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """Celery tells of a message outside of its task; what it is about stands in the arguments it shows."""
    _add_arguments(getattr(line.get("_record"), "data", None), line)
    return line


def _add_arguments(about: object, line: EventDict) -> None:
    found = _MESSAGE.fullmatch(str(about.get("args", ""))) if isinstance(about, dict) else None
    if found:
        for name, value in found.groupdict().items():
            if value:
                line.setdefault(name, int(value) if name in ("step", "attempt") else value)


_HOST = socket.gethostname()


def _add_worker(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    line["worker"] = f"{_HOST}:{os.getpid()}"
    return line


class Redactor:
    """Hides secrets wherever they stand in a line, and cuts long texts."""

    def __init__(self, secrets: frozenset[str]) -> None:
        found = sorted(map(re.escape, secrets), key=len, reverse=True)
        self._secrets = re.compile("|".join(found)) if found else None

    def __call__(self, _logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
        return {name: self.clean(value) if isinstance(value, str) else value for name, value in line.items()}

    def clean(self, text: str) -> str:
        """The text without secrets, each of its lines at most LONGEST_LINE characters."""
        if "://" in text:
            text = _PASSWORD_IN_URL.sub(rf"\1{HIDDEN}@", text)
        if self._secrets:
            text = self._secrets.sub(HIDDEN, text)
        if len(text) <= LONGEST_LINE:
            return text
        return "\n".join(part if len(part) <= LONGEST_LINE else f"{part[:LONGEST_LINE]}…" for part in text.split("\n"))


def secrets_of(environment: os._Environ[str] | dict[str, str]) -> frozenset[str]:
    """Values of the variables whose names say that they are secret, and the parts of those that hold several."""
    values = [value for name, value in environment.items() if _SECRET_NAME.search(name)]
    parts = {part.strip() for value in values for part in (value, *value.split(","))}
    return frozenset(part for part in parts if len(part) >= SHORTEST_SECRET)
