"""The command line: `zts_submit` and `zts` are what the console scripts call."""

from __future__ import annotations

import gc
import sys
from typing import NoReturn

INTERRUPTED = 130
FEW_LOOKS = 100_000
"""New objects between two looks for garbage. What imports make stays: at Python's own 700, looking through it took an
eighth of a command's time."""


def zts() -> None:
    """The `zts` command."""
    gc.set_threshold(FEW_LOOKS)
    try:
        from zts_producer.cli.main import run
        from zts_producer.cli.root import root
    except KeyboardInterrupt:  # Ctrl-C while Python still reads our modules is no traceback either
        sys.exit(INTERRUPTED)
    _end(run(root, "zts", sys.argv[1:]))


def zts_submit() -> None:
    """The `zts-submit` command, the same as `zts submit`."""
    gc.set_threshold(FEW_LOOKS)
    try:
        from zts_producer.cli.main import run
        from zts_producer.cli.submit import submit
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    _end(run(submit, "zts-submit", sys.argv[1:]))


def _end(code: int) -> NoReturn:
    gc.freeze()  # Python looks for garbage once more at its end, which took another eighth
    sys.exit(code)
