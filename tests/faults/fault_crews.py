"""Crews for tests of faults: what they do depends on the attempt, so that a second worker has something to repair."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from pathlib import Path
from typing import ClassVar

from scripted_crews import Made, ScriptedCrew, record

from zts_core.crew import StepContext
from zts_core.errors import PermanentError


class FaultCrew(ScriptedCrew):
    """Leaves a file that names its attempt; `first_s`: how long attempt 1 takes; `poison`: every attempt kills.

    `while_there`: it works for as long as there is this file.
    """

    name: ClassVar[str] = "FaultCrew"

    def run(self, context: StepContext) -> Made:
        record(context, "called")
        script = dict(context.values)
        context.artifacts.write_text("made.txt", f"attempt {context.attempt}")
        if "needs" in script and not Path(script["needs"]).exists():
            raise PermanentError(f"{script['needs']} is not there")
        if script.get("poison"):
            os.kill(os.getpid(), signal.SIGKILL)
        while "while_there" in script and Path(script["while_there"]).exists():
            time.sleep(0.05)
        if context.attempt == 1:
            time.sleep(float(script.get("first_s", 0)))
        time.sleep(float(script.get("sleep_s", 0)))
        record(context, "returned")
        return Made.model_validate(script.get("output", {}))


class StubbornCrew(ScriptedCrew):
    """Holds the interpreter's lock in C code for `held_s` seconds: no other Python thread of its process runs then."""

    name: ClassVar[str] = "StubbornCrew"

    def run(self, context: StepContext) -> Made:
        record(context, "called")
        ctypes.PyDLL(None).sleep(int(context.values["held_s"]))
        record(context, "returned")
        return Made()


class DeafCrew(ScriptedCrew):
    """Sleeps in C code where no Python exception reaches it."""

    name: ClassVar[str] = "DeafCrew"

    def run(self, context: StepContext) -> Made:
        record(context, "called")
        time.sleep(float(context.values["deaf_s"]))
        return Made()
