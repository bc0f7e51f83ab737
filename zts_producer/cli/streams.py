"""Decides what becomes of output that nobody reads: a closed stream, a reader who left, a full disk."""

from __future__ import annotations

import io
import os
import sys
from typing import Any, TextIO

from zts_core.errors import ZtsError


def settle_streams(*, goes_on: bool) -> None:
    """Give every standard stream a place. With `goes_on` the command does its work to the end without a reader."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            os.open(os.devnull, os.O_RDWR)  # takes `number`, the lowest that is free; a socket would otherwise
            setattr(sys, name, open(number, "w" if number else "r", closefd=False))  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper) and not sys.stdout.isatty():
        sys.stdout = _heard(sys.stdout, goes_on=goes_on)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that cannot show a letter is no reason to fail


def _heard(stream: io.TextIOWrapper, *, goes_on: bool) -> TextIO:
    try:
        pipe = _Pipe(stream.fileno(), goes_on=goes_on)
    except (OSError, ValueError):
        return stream  # a test's own stream
    return io.TextIOWrapper(io.BufferedWriter(pipe), encoding=stream.encoding, line_buffering=stream.line_buffering)


class _Pipe(io.FileIO):
    """Standard output into a pipe or a file. click would end with 1, and without a word, when a reader leaves."""

    def __init__(self, number: int, *, goes_on: bool) -> None:
        super().__init__(number, "wb", closefd=False)
        self.goes_on = goes_on
        self.over = False

    def write(self, data: Any, /) -> int:  # any buffer
        if self.over:
            return len(data)
        try:
            return super().write(data) or 0
        except BrokenPipeError:
            self.over = True
            if self.goes_on:
                return len(data)
            raise SystemExit(0) from None
        except OSError as error:
            self.over = True
            reason = (error.strerror or str(error)).lower()
            raise ZtsError(f"standard output cannot be written ({reason}); send it somewhere else") from None
