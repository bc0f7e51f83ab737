"""Decides what agents add to an examination: an examiner reads the files, a reviewer comments and wishes.

What was measured stays. A wish counts where its quote stands in the file it names. It asks the builder for a change
where the step says `wishes_may_ask`, the builder has agents who can, and in the first review only: so it ends.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from zts_core.crew import Models, StepContext
from zts_core.errors import AgentFailed
from zts_worker.crews.examining.findings import REVIEW
from zts_worker.crews.team import Filled, Line, Sentence, ask, role
from zts_worker.crews.workshop.folder import WorkFolder
from zts_worker.crews.workshop.moves import LOOKING, Look
from zts_worker.crews.workshop.working import Bench, work

if TYPE_CHECKING:
    from zts_worker.crews.examining.review import ChangeRequest, Review

_EXAMINED = ("build", "marketing", "launch")
_MEASURED = {"approved", "score", "summary", "tests", "scope", "starts", "install", "change_requests", "comments"}
_LEAST_QUOTE = 8
"""Letters of a quote: fewer stand in every file."""


class Wish(Filled):
    """Something that has to change before anybody uses it."""

    path: Annotated[str, Field(min_length=1, max_length=120)]
    quote: Line
    wish: Sentence


class Opinion(Filled):
    """What the reviewer says."""

    comments: Annotated[list[Sentence], Field(max_length=6)]
    wishes: Annotated[list[Wish], Field(max_length=3)]


EXAMINER = role("feedback/examiner", "reads the files that were built, with tools", Look, tools=LOOKING, most_calls=10)
REVIEWER = role("feedback/reviewer", "comments on what no measurement sees, and wishes for changes", Opinion)
TEAM = (EXAMINER, REVIEWER)


def by_team(models: Models, context: StepContext, review: Review) -> Review:
    """The review with what the agents saw: comments behind its own, and a few wishes as change requests."""
    folder = WorkFolder(dict(_files(context)), is_kept=lambda _: True)
    measured = review.model_dump(mode="json", include=_MEASURED)
    seen = _examined(models, context, folder)
    given = {"Idea": context.idea, "Measured": measured, "Files": folder.listing(), "What the examiner read": seen}
    opinion = ask(models, REVIEWER, given)
    wishes = [wish for wish in opinion.wishes if _is_there(wish, folder)]
    comments = [f"reviewer: {comment}" for comment in opinion.comments]
    if not _may_ask(context):
        comments += [f"reviewer: {wish.path}: {wish.wish}" for wish in wishes]
        wishes = []
    return _with(review, comments, [_request(wish) for wish in wishes])


def _files(context: StepContext) -> Iterator[tuple[str, bytes]]:
    """What earlier steps left, by the path an agent and the builder know it by."""
    for namespace in _EXAMINED:
        for path in context.earlier_artifacts.paths(namespace):
            known = path.removeprefix("project/") if namespace == "build" else f"{namespace}/{path}"
            yield known, context.earlier_artifacts.read_bytes(namespace, path)


def _examined(models: Models, context: StepContext, folder: WorkFolder) -> str:
    """What the examiner saw; a model too weak to move leaves it at what was seen so far."""
    bench = Bench(EXAMINER, folder, moves_left=EXAMINER.most_calls)
    context.say("an examiner reads the files")
    try:
        work(models, context, bench, {"Idea": context.idea, "Files": folder.listing()})
    except AgentFailed as failure:
        bench.note(f"the examiner gave up: {failure}")
    return "\n\n".join(bench.seen)


def _is_there(wish: Wish, folder: WorkFolder) -> bool:
    quote = "".join(wish.quote.split())
    text = folder.files.get(wish.path, b"").decode("utf-8", "replace")
    return len(quote) >= _LEAST_QUOTE and quote in "".join(text.split())


def _may_ask(context: StepContext) -> bool:
    """Only where the workflow says that somebody can fulfil a wish: others would end unapproved for a taste."""
    if context.values.get("wishes_may_ask") is not True:
        return False
    return (context.earlier("build") or {}).get("mode") == "model" and context.earlier("feedback") is None


def _request(wish: Wish) -> ChangeRequest:
    from zts_worker.crews.examining.review import ChangeRequest

    digest = hashlib.sha256(f"{wish.path}\0{wish.wish}".encode()).hexdigest()[:10]
    return ChangeRequest(
        id=f"{REVIEW}-{digest}",
        kind=REVIEW,
        path=wish.path,
        severity="medium",
        message=wish.wish,
        evidence=f"{wish.path} says: {wish.quote}",
    )


def _with(review: Review, comments: list[str], requests: list[ChangeRequest]) -> Review:
    update: dict[str, Any] = {"mode": "model", "comments": [*review.comments, *comments]}
    if requests:
        asked = [*review.change_requests, *requests]
        update |= {"approved": False, "rejected": True, "enterprise_approved": False, "change_requests": asked}
        update["summary"] = f"{review.summary} A reviewer asks for {len(requests)} changes."
    return review.model_copy(update=update)
