"""Decides how a command ends: its exit code, and one line on standard error for everything that went wrong."""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

import click

from zts_core.errors import WorkflowInvalid, ZtsError
from zts_core.workflow.plain_text import one_line
from zts_producer.cli import INTERRUPTED
from zts_producer.cli.streams import settle_streams

UNEXPECTED = 1
USAGE = 2
DEBUG = "ZTS_DEBUG"


def run(command: click.Command, name: str, arguments: Sequence[str]) -> int:
    """Run `command` and return its exit code. `ZTS_DEBUG=1` shows where an error came from."""
    signal.signal(signal.SIGTERM, _end)
    settle_streams(goes_on=name == "zts-submit" or list(arguments[:1]) in (["submit"], ["resume"]))
    try:
        code = command.main(list(arguments), prog_name=name, standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        return _reader_left()
    except (click.Abort, KeyboardInterrupt):
        return _ended(name, "interrupted", INTERRUPTED, arguments)
    except click.ClickException as error:
        return _usage(name, error, arguments)
    except ZtsError as error:
        return _ended(name, _message(error), error.exit_code, arguments)
    except FileNotFoundError as error:
        if error.filename is not None or _here():
            return _unexpected(name, error, arguments)
        return _ended(name, "the current folder is gone; change to another one", USAGE, arguments)
    except Exception as error:
        return _unexpected(name, error, arguments)
    return code if isinstance(code, int) else 0


def _unexpected(name: str, error: Exception, arguments: Sequence[str]) -> int:
    said = f"unexpected {type(error).__name__}: {error}; {DEBUG}=1 shows where, please report it"
    return _ended(name, said, UNEXPECTED, arguments)


def _here() -> bool:
    try:
        return bool(Path.cwd())
    except FileNotFoundError:
        return False


def _end(number: int, _frame: FrameType | None) -> None:
    """Asked to end: leave through every `with`, so that nothing stays behind."""
    raise SystemExit(128 + number)


def _reader_left() -> int:
    """Whoever read our output has enough; what is still buffered goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _usage(name: str, error: click.ClickException, arguments: Sequence[str]) -> int:
    asked = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else name
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message())
        return USAGE
    said = one_line(error.format_message()).rstrip(".")
    return _ended(name, f"{said}; see `{asked} --help`", USAGE, arguments)


def _message(error: ZtsError) -> str:
    """A workflow's problems keep a line each, everything else is one line."""
    if isinstance(error, WorkflowInvalid):
        return "\n".join(one_line(str(problem)) for problem in error.problems)
    return one_line(str(error))


def _ended(name: str, message: str, code: int, arguments: Sequence[str]) -> int:
    if os.environ.get(DEBUG, "") not in ("", "0"):
        traceback.print_exc()
    for line in message.split("\n"):
        print(f"{name}: {line}", file=sys.stderr)
    if "--json" in arguments:
        print(json.dumps({"error": message, "exit_code": code}, ensure_ascii=False))
    return code
