"""Crews for tests: each does what the step's `with` values say, and writes down every call in a file of its own.

The file named by `ZTS_TEST_RECORD` gets one line per call and per end, so that a test can count what really ran.
"""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel

from zts_core.crew import StepContext
from zts_core.errors import PermanentError, SettingInvalid, TransientError


class Made(BaseModel):
    """An output with a field of each kind."""

    ok: bool = True
    score: float = 0.5
    name: str = ""
    tasks: list[Any] = []
    seen: dict[str, Any] = {}


def record(context: StepContext, what: str) -> None:
    """One atomic line: short writes to a file opened for appending are not torn."""
    line = json.dumps([context.run_id, context.idempotency_key, context.state, context.attempt, what, os.getpid()])
    with Path(os.environ["ZTS_TEST_RECORD"]).open("a") as file:
        file.write(line + "\n")


class ScriptedCrew:
    """Acts by `context.values`: `sleep_s`, `fail` (see below), `until_attempt`, `output`, `kill`."""

    name: ClassVar[str] = "ScriptedCrew"
    namespace: ClassVar[str] = "made"
    Output: ClassVar[type[BaseModel]] = Made

    def run(self, context: StepContext) -> Made:
        record(context, "called")
        script = dict(context.values)
        act(context, script)
        record(context, "returned")
        output = script.get("output", {})
        seen = {name: context.earlier(name) for name in script.get("look_at", [])}
        return Made.model_validate({**output, "seen": {**seen, **script.get("keep", {})}})


class OtherCrew(ScriptedCrew):
    """The same with a namespace of its own."""

    name: ClassVar[str] = "OtherCrew"
    namespace: ClassVar[str] = "other"


class AsyncCrew:
    """An `async def` crew."""

    name: ClassVar[str] = "AsyncCrew"
    namespace: ClassVar[str] = "later"
    Output: ClassVar[type[BaseModel]] = Made

    async def run(self, context: StepContext) -> Made:
        record(context, "called")
        return Made(name="async")


def act(context: StepContext, script: dict[str, Any]) -> None:
    if "file" in script:
        context.artifacts.write_text(script["file"], f"attempt {context.attempt}")
    if context.attempt < script.get("until_attempt", 1_000_000) and "fail" in script:
        fail(str(script["fail"]))
    if script.get("kill") and context.attempt < script.get("until_attempt", 1_000_000):
        os.kill(os.getpid(), signal.SIGKILL)
    if script.get("hang"):
        hang(context, polite=script["hang"] == "polite")
    time.sleep(float(script.get("sleep_s", 0)))


def hang(context: StepContext, *, polite: bool) -> None:
    while True:
        time.sleep(0.02)
        if polite:
            context.check()


def fail(how: str) -> None:
    if how == "transient":
        raise TransientError("try me again")
    if how == "setting":
        raise SettingInvalid("this worker has not the key; set it")
    if how == "permanent":
        raise PermanentError("never again")
    raise ValueError("a bug in the crew")
