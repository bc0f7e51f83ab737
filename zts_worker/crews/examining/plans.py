"""Decides what is examined where no code was built: the landing page, the launch plan and the validation's scope."""

from __future__ import annotations

from collections.abc import Iterator

from zts_core.crew import StepContext
from zts_worker.crews.examining.findings import Finding
from zts_worker.crews.examining.landing import page_findings, plan_findings
from zts_worker.crews.examining.project import Examination
from zts_worker.crews.reading import read_idea

_NEEDED = {
    "marketing": ("positioning", "value_proposition", "posts", "emails"),
    "launch": ("timeline", "checklist", "release_notes", "rollback_plan", "success_metrics"),
}


def examine_plans(context: StepContext) -> Examination:
    """Examine what marketing and launch left."""
    there = [name for name in _NEEDED if context.earlier(name) is not None]
    if not there:
        told = "neither a project nor a landing page nor a launch plan was made before this review"
        return Examination("nothing", findings=[Finding("nothing_built", "", told)])
    context.say(f"no code was built: examining {' and '.join(there)}")
    seen = Examination("plans", findings=list(page_troubles(context)))
    for name in there:
        context.check()
        seen.findings += plan_findings(name, context.earlier(name) or {}, _NEEDED[name])
    seen.comments.append(f"No code was built: this review looked at {' and '.join(there)} only.")
    seen.not_judged.append("Code, tests and security: nothing was built.")
    return seen


def page_troubles(context: StepContext) -> Iterator[Finding]:
    """What is wrong with the landing pages that marketing left."""
    reading = read_idea(context.idea)
    pages = [path for path in context.earlier_artifacts.paths("marketing") if path.endswith((".html", ".htm"))]
    if context.earlier("marketing") is not None and not pages:
        yield Finding("missing_plan", "marketing", "there is no landing page", key="landing page")
    for path in pages:
        markup = context.earlier_artifacts.read_bytes("marketing", path).decode("utf-8", "replace")
        yield from page_findings(path, markup, reading)
