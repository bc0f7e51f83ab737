"""What a test of the engine has at hand."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from played_runs import Runs
from servers import RedisServer, Worker


@dataclass
class Stack:
    """One Redis, one worker, and a view of the runs."""

    redis: RedisServer
    worker: Worker
    runs: Runs
    folder: Path
