"""A crew that says what it should not."""

from __future__ import annotations

import logging
import os
from typing import Any, ClassVar

from pydantic import BaseModel

from zts_core.crew import StepContext

PAYLOAD = "the idea nobody may read " * 60


class Said(BaseModel):
    ok: bool = True


class TalkingCrew:
    """Logs by the context's logger, by a library's, and by print; then raises where it is told to."""

    name: ClassVar[str] = "TalkingCrew"
    namespace: ClassVar[str] = "said"
    Output: ClassVar[type[BaseModel]] = Said

    def run(self, context: StepContext) -> Said:
        context.log.info("by the context")
        logging.getLogger("some.library").warning("calling with key %s", os.environ["PROVIDER_API_KEY"])
        print("by print")
        values: dict[str, Any] = dict(context.values)
        if values.get("raise"):
            raise ValueError(PAYLOAD)
        return Said()
