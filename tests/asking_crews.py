"""Decides what the crew asks that tests of budgets and limits let real workers run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import BaseModel, Field

from zts_core.crew import Assignment, StepContext


class Word(BaseModel):
    """One word."""

    word: Annotated[str, Field(max_length=40)]


class AskingCrew:
    """Asks one agent one thing; `prompt` in its `with` names the file."""

    name: ClassVar[str] = "AskingCrew"
    namespace: ClassVar[str] = "asked"
    Output = Word

    def run(self, context: StepContext) -> Word:
        assert context.models is not None
        prompt = Path(context.values["prompt"])
        return context.models.ask(Assignment(prompt, Word, {"Idea": context.idea, "Step": context.state}))
