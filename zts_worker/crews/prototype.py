"""Decides how a device's design becomes something that runs on a PC: firmware, its simulation and the wiring."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from zts_core.crew import StepContext
from zts_worker.crews.output import Answer, CrewOutput, ModelChange

if TYPE_CHECKING:
    from zts_worker.crews.prototyping.bench import Bench
    from zts_worker.crews.workshop.improving import Improved

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
    model_changes: list[ModelChange] = Field(default_factory=list, description="What agents worked on, kept or not.")
    made_by_model: list[str] = Field(default_factory=list, description="Files that agents wrote or changed.")


class PrototypeCrew:
    """Makes firmware, simulation and wiring table."""

    name: ClassVar[str] = "PrototypeCrew"
    namespace: ClassVar[str] = "prototype"
    team: ClassVar[str] = "zts_worker.crews.prototype_team:TEAM"
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
        files = {path: text.encode() for path, text in render(bench).items()}
        context.check()
        compiled = _compiled(context, files, "firmware")
        improved = _by_team(context, files, bench, compiles=compiled.ok is not None)
        if improved is not None:
            files = improved.files
            compiled = _compiled(context, files, "firmware-after")
        for path, content in files.items():
            context.artifacts.write_bytes(f"{PREFIX}/{path}", content)
        return _describe(bench, sorted(files), compiled=compiled, improved=improved)


def _by_team(context: StepContext, files: dict[str, bytes], bench: Bench, *, compiles: bool) -> Improved | None:
    if context.models is None:
        return None
    from zts_worker.crews.prototype_team import by_team

    rules = [rule.sentence for rule in bench.rules if rule.sentence]
    found = {
        "channels": [item.name for item in bench.channels],
        "outputs": [r.output for r in bench.rules],
        "rules": rules,
    }
    return by_team(context.models, context, files, found=found, compiles=compiles)


def _designed(context: StepContext) -> Mapping[str, Any]:
    """Without a design step before, the design this crew would have been given."""
    from zts_worker.crews.hardware import HardwareCrew

    context.say("no design was made before: reading the parts from the idea")
    output = HardwareCrew().run(context)
    return output.model_dump(mode="json")


@dataclass(frozen=True)
class Compiled:
    """Whether the firmware compiles (None where there is no compiler), what was said where not, and the walls."""

    ok: bool | None
    told: str = ""
    isolation: tuple[str, ...] = ()


def _compiled(context: StepContext, files: Mapping[str, bytes], name: str) -> Compiled:
    from zts_core.errors import PermanentError
    from zts_worker.crews.sandbox import run_sandboxed

    folder = context.work_folder / name
    folder.mkdir(parents=True)
    for path, content in files.items():
        if path.startswith("firmware/"):
            target = folder / path.removeprefix("firmware/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    command = ["cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-o", "firmware_pc"]
    command += ["main.c", "control.c", "hal_pc.c", "-lm"]
    try:
        result = run_sandboxed(command, folder=folder, timeout_s=60)
    except PermanentError:
        return Compiled(None)
    return Compiled(result.ok, result.stderr[-1000:], result.isolation)


def _describe(bench: Bench, paths: list[str], *, compiled: Compiled, improved: Improved | None) -> Prototype:
    from zts_worker.crews.prototyping.wiring import lacks_pins

    faults = ["the board has too few pins for all signals"] if lacks_pins(bench.wires) else []
    faults += [f"the firmware does not compile: {compiled.told}"] if compiled.ok is False else []
    names = [channel.name for channel in bench.channels]
    return Prototype(
        mode="model" if improved else "offline",
        not_judged=[*NOT_JUDGED, *(["Whether the firmware compiles: no C compiler."] if compiled.ok is None else [])],
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
        compiled=compiled.ok,
        files=paths,
        isolation=list(compiled.isolation),
        model_changes=_told(improved),
        made_by_model=improved.changed if improved else [],
    )


def _told(improved: Improved | None) -> list[ModelChange]:
    if improved is None:
        return []
    from zts_worker.crews.workshop.planning import told

    return told(improved.outcomes)


def _nothing(reason: str) -> Prototype:
    return Prototype(mode="offline", ready=False, reason=reason, not_judged=list(NOT_JUDGED))
