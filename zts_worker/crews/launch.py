"""Decides whether and how a product is launched, and writes the plan down."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from zts_core.crew import Models, StepContext
from zts_worker.crews import launch_plan as plan
from zts_worker.crews.markdown import plain, table
from zts_worker.crews.marketing_copy import product_name
from zts_worker.crews.output import Answer, CrewOutput
from zts_worker.crews.reading import IdeaReading, read_idea
from zts_worker.crews.safeguards import care_of

FOLDER = "launch_plan"
Day = Annotated[int, Field(ge=-14, le=14)]
NOT_JUDGED = (
    "Which calendar date suits: holidays and fairs of the trade were not looked up.",
    "Who does what: the plan names no persons.",
)


class TimelineEntry(Answer):
    """What happens `day` days after the launch (negative: before), and why then."""

    day: Day
    what: str
    why: str


class Check(Answer):
    """Something to be true before the launch; `done` where an earlier step of the run shows it."""

    what: str
    why: str
    done: bool


class RollbackStep(Answer):
    """A step of the way back."""

    step: str
    detail: str


class Metric(Answer):
    """What is counted and from when on it is a success; `sentence` is the idea's where it says so."""

    name: str
    definition: str
    target: str
    sentence: str


class LaunchCrew:
    """Plans the launch."""

    name: ClassVar[str] = "LaunchCrew"
    namespace: ClassVar[str] = "launch"
    team: ClassVar[str] = "zts_worker.crews.launch_team:TEAM"

    class Output(CrewOutput):
        """The launch plan; `ready` says that the plan is complete, not that every check is done."""

        ready: bool
        reason: str
        timeline: list[TimelineEntry]
        checklist: list[Check]
        release_notes: list[str]
        rollback_plan: list[RollbackStep]
        success_metrics: list[Metric]
        files: list[str]

    def run(self, context: StepContext) -> LaunchCrew.Output:
        """Plan from the idea and, where it ran, from the build."""
        reading = read_idea(context.idea)
        if reading.unlawful or not (reading.entities or context.models):
            reason = "What is illegal is not launched." if reading.unlawful else "The text names nothing to launch."
            return _output(reading, reason=reason)
        care, build = care_of(reading), context.earlier("build")
        if build is not None and build.get("status") == "failed":
            return _output(reading, reason="The build failed; there is nothing to launch yet.")
        checks = plan.checklist(reading, care, build)
        output = _output(
            reading,
            reason=f"{sum(done for *_, done in checks)} of {len(checks)} checks are done; the plan covers four weeks.",
            timeline=[TimelineEntry(day=row.day, what=row.what, why=row.why) for row in plan.timeline(reading, care)],
            checklist=[Check(what=what, why=why, done=done) for what, why, done in checks],
            release_notes=plan.release_notes(reading, build),
            rollback_plan=[RollbackStep(step=step, detail=detail) for step, detail in plan.rollback(build)],
            success_metrics=[
                Metric(name=m.name, definition=m.definition, target=m.target, sentence=m.sentence)
                for m in plan.measures(reading, care)
            ],
        )
        if context.models is not None:
            output = _by_team(context.models, context, reading, output)
        context.check()
        for path, text in documents(product_name(reading), output).items():
            context.artifacts.write_text(path, text)
        context.say(output.reason)
        return output


def _by_team(models: Models, context: StepContext, reading: IdeaReading, rules: LaunchCrew.Output) -> LaunchCrew.Output:
    """The agents' plan; what is done already stays as earlier steps show it."""
    from zts_worker.crews.launch_team import by_team
    from zts_worker.crews.team import NOT_CHECKED

    days, operation = by_team(models, context)
    output = _output(
        reading,
        mode="model",
        reason=rules.reason,
        timeline=[TimelineEntry(day=entry.day, what=entry.what, why=entry.why) for entry in days.timeline],
        checklist=rules.checklist,
        release_notes=days.release_notes,
        rollback_plan=[RollbackStep(step=back.step, detail=back.detail) for back in operation.rollback_plan],
        success_metrics=[
            Metric(name=m.name, definition=m.definition, target=m.target, sentence="")
            for m in operation.success_metrics
        ],
    )
    return output.model_copy(update={"not_judged": [*NOT_JUDGED, NOT_CHECKED]})


def documents(name: str, output: LaunchCrew.Output) -> dict[str, str]:
    """The plan as Markdown files by path."""
    title = plain(name)
    days = [(f"T{entry.day:+d}" if entry.day else "T", entry.what, entry.why) for entry in output.timeline]
    checks = [f"- [{'x' if c.done else ' '}] {plain(c.what)} – {plain(c.why)}" for c in output.checklist]
    back = [f"{at}. **{r.step}.** {r.detail}" for at, r in enumerate(output.rollback_plan, start=1)]
    metrics = [(m.name, m.definition, m.target) for m in output.success_metrics]
    texts = {
        "timeline": f"# Timeline for {title}\n\n{table(('Day', 'What', 'Why then'), days)}\n",
        "checklist": f"# Checklist for {title}\n\n" + "\n".join(checks) + "\n",
        "release_notes": f"# {title} 1.0\n\n" + "\n".join(f"- {plain(n)}" for n in output.release_notes) + "\n",
        "rollback": f"# The way back from {title} 1.0\n\n" + "\n".join(back) + "\n",
        "metrics": f"# When {title} has worked\n\n{table(('Measure', 'How it is counted', 'Target'), metrics)}\n",
    }
    return {f"{FOLDER}/{stem}.md": text for stem, text in texts.items()}


def _output(
    reading: IdeaReading,
    *,
    reason: str,
    timeline: list[TimelineEntry] | None = None,
    checklist: list[Check] | None = None,
    release_notes: list[str] | None = None,
    rollback_plan: list[RollbackStep] | None = None,
    success_metrics: list[Metric] | None = None,
    mode: Literal["offline", "model"] = "offline",
) -> LaunchCrew.Output:
    """A plan; without a timeline, the answer that there is none."""
    stems = ("timeline", "checklist", "release_notes", "rollback", "metrics") if timeline else ()
    return LaunchCrew.Output(
        mode=mode,
        not_judged=[*reading.not_judged, *NOT_JUDGED],
        ready=bool(timeline),
        reason=reason,
        timeline=timeline or [],
        checklist=checklist or [],
        release_notes=release_notes or [],
        rollback_plan=rollback_plan or [],
        success_metrics=success_metrics or [],
        files=[f"{FOLDER}/{stem}.md" for stem in stems],
    )
