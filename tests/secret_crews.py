"""Decides what the crew does that tests of encryption let real workers run: it puts one word wherever a crew can."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel

from zts_core.crew import StepContext
from zts_core.errors import PermanentError, TransientError


class Secret(BaseModel):
    """A word, and a text that is too large for Redis."""

    word: str
    large: str


class SecretCrew:
    """Takes the word `tone` of its run's values; its first attempt fails as `how` says."""

    name: ClassVar[str] = "SecretCrew"
    namespace: ClassVar[str] = "secret"
    Output: ClassVar[type[BaseModel]] = Secret

    def run(self, context: StepContext) -> Secret:
        word = str(context.values["tone"])
        assert word in context.idea
        context.say(f"about {word}")
        print(f"looking for {word}")
        context.log.warning("thinking of %s", word)
        if context.attempt == 1:
            failure = {"transient": TransientError, "permanent": PermanentError}[str(context.values["how"])]
            raise failure(f"no {word} yet")
        context.artifacts.write_text("secret.txt", f"all of {word}")
        return Secret(word=word, large=f"{word} " * (300 if context.state == "MAKE" else 1))
