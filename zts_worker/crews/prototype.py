"""Decides how a device's design becomes something that runs on a PC: firmware, its simulation and the wiring."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from zts_core.crew import StepContext
from zts_worker.crews.output import Answer, CrewOutput

if TYPE_CHECKING:
    from zts_worker.crews.prototyping.bench import Bench

PREFIX = "prototype"
NOT_JUDGED = (
    "Timing and drivers on the real board: the functions of firmware/hal.h are written with its maker's library.",
    "Whether thresholds that the idea does not name are right.",
    "The world's physics: the simulation moves quantities at plausible, not measured, speeds.",
)


class Wiring(Answer):
    """One wire."""

    part: str
    signal: str
    pin: str
    note: str


class Measured(Answer):
    """A channel: what is measured, by which part, in which unit and range."""

    name: str
    part: str
    unit: str
    low: float
    high: float


class Driven(Answer):
    """An output and its rule."""

    name: str
    part: str
    channel: str
    on_when: str
    most_on_s: int


class PrototypeCommands(Answer):
    """What a person types in the prototype's folder."""

    simulate: str = "python -m simulation --hours 24"
    test: str = "python -m unittest"
    compile: str = "make -C firmware"


class Prototype(CrewOutput):
    """What the crew made."""

    ready: bool = Field(description="All files are there, every signal has a pin, and the firmware compiles.")
    reason: str
    board: str = ""
    channels: list[Measured] = Field(default_factory=list)
    outputs: list[Driven] = Field(default_factory=list)
    wiring: list[Wiring] = Field(default_factory=list)
    compiled: bool | None = Field(default=None, description="None where there is no C compiler.")
    files: list[str] = Field(default_factory=list)
    commands: PrototypeCommands = PrototypeCommands()
    isolation: list[str] = Field(default_factory=list)


class PrototypeCrew:
    """Makes firmware, simulation and wiring table."""

    name: ClassVar[str] = "PrototypeCrew"
    namespace: ClassVar[str] = "prototype"
    Output: ClassVar[type[Prototype]] = Prototype

    def run(self, context: StepContext) -> Prototype:
        """Write the prototype below the artifacts' `prototype/` and try to compile its firmware."""
        from zts_worker.crews.prototyping.bench import set_up
        from zts_worker.crews.prototyping.render import render
        from zts_worker.crews.reading import read_idea

        reading = read_idea(context.idea)
        bench = set_up(reading.title, reading.slug, context.earlier("design") or _designed(context))
        if not bench.channels:
            return _nothing("there is no sensor in the design: nothing can be measured, so nothing can be tried")
        context.say(f"{len(bench.channels)} channels, {len(bench.rules)} outputs on {bench.board}")
        files = render(bench)
        for path, text in files.items():
            context.artifacts.write_text(f"{PREFIX}/{path}", text)
        context.check()
        compiled, told, isolation = _compile(files, context.work_folder / "firmware")
        return _describe(bench, sorted(files), compiled=compiled, told=told, isolation=isolation)


def _designed(context: StepContext) -> Mapping[str, Any]:
    """Without a design step before, the design this crew would have been given."""
    from zts_worker.crews.hardware import HardwareCrew

    context.say("no design was made before: reading the parts from the idea")
    output = HardwareCrew().run(context)
    return output.model_dump(mode="json")


def _compile(files: Mapping[str, str], folder: Path) -> tuple[bool | None, str, tuple[str, ...]]:
    from zts_core.errors import PermanentError
    from zts_worker.crews.sandbox import run_sandboxed

    folder.mkdir(parents=True)
    for path, text in files.items():
        if path.startswith("firmware/"):
            (folder / path.removeprefix("firmware/")).write_text(text, encoding="utf-8")
    command = ["cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-o", "firmware_pc"]
    command += ["main.c", "control.c", "hal_pc.c", "-lm"]
    try:
        result = run_sandboxed(command, folder=folder, timeout_s=60)
    except PermanentError:
        return None, "", ()
    return result.ok, result.stderr[-1000:], result.isolation


def _describe(
    bench: Bench, paths: list[str], *, compiled: bool | None, told: str, isolation: tuple[str, ...]
) -> Prototype:
    from zts_worker.crews.prototyping.wiring import lacks_pins

    faults = ["the board has too few pins for all signals"] if lacks_pins(bench.wires) else []
    faults += [f"the firmware does not compile: {told}"] if compiled is False else []
    names = [channel.name for channel in bench.channels]
    return Prototype(
        mode="offline",
        not_judged=[*NOT_JUDGED, *(["Whether the firmware compiles: no C compiler."] if compiled is None else [])],
        ready=not faults,
        reason="; ".join(faults) or f"{len(names)} channels and {len(bench.rules)} outputs, simulated and wired.",
        board=bench.board,
        channels=[
            Measured(name=item.name, part=item.part, unit=item.unit, low=item.low, high=item.high)
            for item in bench.channels
        ],
        outputs=[
            Driven(
                name=rule.output,
                part=rule.part,
                channel=names[rule.channel],
                on_when=f"{'below' if rule.below else 'above'} {rule.threshold:g}",
                most_on_s=rule.most_on_s,
            )
            for rule in bench.rules
        ],
        wiring=[Wiring(part=item.part, signal=item.signal, pin=item.pin, note=item.note) for item in bench.wires],
        compiled=compiled,
        files=paths,
        isolation=list(isolation),
    )


def _nothing(reason: str) -> Prototype:
    return Prototype(mode="offline", ready=False, reason=reason, not_judged=list(NOT_JUDGED))
