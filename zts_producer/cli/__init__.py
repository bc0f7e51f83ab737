"""The command line: `zts_submit` and `zts` are what the console scripts call."""

from __future__ import annotations

import sys


def zts() -> None:
    """The `zts` command."""
    from zts_producer.cli.main import run
    from zts_producer.cli.root import root

    sys.exit(run(root, "zts", sys.argv[1:]))


def zts_submit() -> None:
    """The `zts-submit` command, the same as `zts submit`."""
    from zts_producer.cli.main import run
    from zts_producer.cli.submit import submit

    sys.exit(run(submit, "zts-submit", sys.argv[1:]))
