"""Decides where an output goes that is too large for Redis: beside the crews' files, with a reference in its place."""

from __future__ import annotations

import json
from typing import Any

from zts_core.errors import ServiceUnavailable
from zts_core.ports import Files, StepResult
from zts_core.redis_store import codec
from zts_core.run import dumps


class Overflow:
    """Writes and reads effects; outputs above `above` bytes of JSON stand in `files`, by digest."""

    def __init__(self, files: Files | None = None, *, above: int = 0) -> None:
        self._files = files
        self._above = above

    def written(self, run_id: str, result: StepResult) -> str:
        """An effect as it stands in Redis."""
        text = codec.result_json(result)
        if self._files is None or len(text) <= self._above:
            return text
        content = dumps(result.output).encode("utf-8", "replace")
        if len(content) <= self._above:
            return text
        kept = [self._files.put(run_id, content), len(content)]
        return dumps({"namespace": result.namespace, "kept": kept, "artifacts": result.artifacts})

    def read(self, run_id: str, text: str) -> StepResult:
        """The effect, with its output from wherever that is; ServiceUnavailable where it cannot be read."""
        raw = json.loads(text)
        if "kept" in raw:
            raw["output"] = self._output(run_id, *raw.pop("kept"))
        return codec.result_of(raw)

    def read_if_there(self, run_id: str, text: str) -> StepResult:
        """The same, with an empty output where that cannot be read: for what is better told in part than not at all."""
        try:
            return self.read(run_id, text)
        except ServiceUnavailable:
            raw = {name: value for name, value in json.loads(text).items() if name != "kept"}
            return codec.result_of({**raw, "output": {}})

    def _output(self, run_id: str, digest: str, size: int) -> Any:
        try:
            if self._files is None:
                raise KeyError(digest)
            return json.loads(self._files.get(run_id, digest))
        except (KeyError, OSError, ValueError) as error:
            raise ServiceUnavailable(
                f"an output of run {run_id} ({size} bytes, {digest[:12]}) is not among the files ({error}); "
                "let ZTS_ARTIFACTS name the place that its worker wrote to"
            ) from error
