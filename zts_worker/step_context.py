"""Decides what a crew sees of its run: inputs fixed when the step was decided, read only when they are asked for."""

from __future__ import annotations

import contextlib
import copy
import logging
import re
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from zts_core.artifacts import safe_path
from zts_core.crew import Models
from zts_core.errors import PermanentError, ServiceUnavailable, StepAbandoned
from zts_core.likeness import SeenBefore
from zts_core.limits import SizeLimits
from zts_core.outputs import output_at, steps_of
from zts_core.ports import Claim, RunStore, StepResult
from zts_core.run import Ref, dumps
from zts_core.workflow.conditions import MISSING, lookup
from zts_core.workflow.plan import REFERENCE, Plan
from zts_worker.patience import patiently
from zts_worker.ports import ArtifactStore

Result = TypeVar("Result", bound=BaseModel)
log = logging.getLogger("zts.crew")

SAY_INTERVAL_S = 0.25
"""Seconds between two lines of a crew that reach the ledger; those in between are for nobody's eyes."""


ModelsFinder = Callable[["AttemptContext"], Models | None]
"""Gives an attempt its language model; None where its crew has none."""


class AttemptArtifacts:
    """What one attempt writes: stored at once under its digest, listed nowhere until the commit wins."""

    def __init__(self, store: ArtifactStore, run_id: str, *, sizes: SizeLimits, kept_bytes: int) -> None:
        """`kept_bytes` is what the run takes already."""
        self._store = store
        self._sizes = sizes
        self._kept_bytes = kept_bytes
        self._run_id = run_id
        self.manifest: dict[str, tuple[str, int]] = {}

    def write_text(self, path: str, text: str) -> None:
        self.write_bytes(path, text.encode("utf-8"))

    def too_much(self, more_bytes: int) -> str:
        """Why a run cannot keep that much more; empty where it can."""
        whole, most = self._kept_bytes + more_bytes, self._sizes.run
        if whole <= most:
            return ""
        return f"the outputs and files of its run would take {whole:,} bytes, more than the {most:,} of ZTS_RUN_BYTES"

    def write_bytes(self, path: str, content: bytes) -> None:
        if len(content) > self._sizes.file:
            told = (
                f"the file {path!r} of {len(content):,} bytes is more than the {self._sizes.file:,} of ZTS_FILE_BYTES"
            )
            raise PermanentError(f"{told}; write less, or raise it")
        written = sum(size for name, (_, size) in self.manifest.items() if name != path)
        if reason := self.too_much(written + len(content)):
            raise PermanentError(f"{reason}; write less, or raise it")
        self.manifest[safe_path(path)] = (self._store.put(self._run_id, content), len(content))

    def add_folder(self, folder: Path, prefix: str) -> None:
        for file in sorted(folder.rglob("*")):
            if file.is_file() and not file.is_symlink():
                self.write_bytes(f"{prefix}/{file.relative_to(folder).as_posix()}", file.read_bytes())


class InputArtifacts:
    """Files of the steps whose outputs this step sees."""

    def __init__(self, inputs: Inputs, store: ArtifactStore, run_id: str) -> None:
        self._inputs = inputs
        self._store = store
        self._run_id = run_id

    def paths(self, namespace: str) -> tuple[str, ...]:
        return tuple(sorted(self._inputs.manifest(namespace)))

    def read_bytes(self, namespace: str, path: str) -> bytes:
        return self._store.get(self._run_id, self._inputs.manifest(namespace)[path][0])

    def extract(self, namespace: str, folder: Path) -> None:
        for path in self.paths(namespace):
            target = folder / safe_path(path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(self.read_bytes(namespace, path))


class Inputs:
    """Earlier outputs by the references that were fixed when the step was decided."""

    def __init__(self, store: RunStore, run_id: str, refs: Mapping[str, Ref]) -> None:
        self._store = store
        self._run_id = run_id
        self._refs = refs
        self._known: dict[int, StepResult] = {}

    def output(self, namespace: str) -> Mapping[str, Any] | None:
        ref = self._refs.get(namespace)
        if ref is None:
            return None
        self._results(steps_of(ref))
        return output_at(ref, self._known)

    def manifest(self, namespace: str) -> Mapping[str, tuple[str, int]]:
        ref = self._refs.get(namespace)
        if ref is None:
            return {}
        merged: dict[str, tuple[str, int]] = {}
        for result in self._results(steps_of(ref)):
            merged.update(result.artifacts)
        return merged

    def _results(self, seqs: list[int]) -> list[StepResult]:
        missing = [seq for seq in seqs if seq not in self._known]
        self._known.update(patiently(lambda: self._store.results(self._run_id, missing)))
        return [self._known[seq] for seq in seqs if seq in self._known]


class FanOutLists:
    """The last lists that fan-outs went over in this process: each of their items would read the whole list again.

    Safe to keep, because what a done step gave never changes; items are handed out as copies, so crews cannot either.
    """

    def __init__(self, *, most: int = 4) -> None:
        self._most = most
        self._known: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()

    def item(self, run_id: str, place: str, index: int, *, read: Callable[[], Any]) -> Any:
        """A copy of one item of the list at `place`, which `read` gives where it is not known; MISSING without it."""
        with self._lock:
            found = self._known.get((run_id, place), MISSING)
        if found is MISSING:
            found = read()
            with self._lock:
                while len(self._known) >= self._most:
                    del self._known[next(iter(self._known))]
                self._known[run_id, place] = found
        return copy.deepcopy(lookup(found, str(index)))


class AttemptContext:
    """The StepContext of one attempt."""

    def __init__(
        self,
        *,
        store: RunStore,
        artifacts: ArtifactStore,
        run_id: str,
        seq: int,
        claim: Claim,
        plan: Plan,
        models: ModelsFinder | None = None,
        lists: FanOutLists | None = None,
        sizes: SizeLimits | None = None,
    ) -> None:
        step = claim.step
        self._lists = lists or FanOutLists()
        self.run_id = run_id
        self.state: str = step["state"]
        self.workflow: str = step["workflow"]
        self.metadata: Mapping[str, Any] = plan.workflows[self.workflow].metadata
        self.attempt = claim.attempt
        self.idempotency_key = f"{run_id}:{seq}"
        self.sizes = sizes or SizeLimits()
        self.artifacts = AttemptArtifacts(artifacts, run_id, sizes=self.sizes, kept_bytes=claim.kept_bytes)
        self.inputs = Inputs(store, run_id, step["inputs"])
        self.earlier_artifacts = InputArtifacts(self.inputs, artifacts, run_id)
        self.seq = seq
        self.crew: str = step["crew"]
        self._models = models
        self.log = logging.LoggerAdapter(log, {"run": run_id, "state": self.state, "attempt": claim.attempt})
        self.stopped: str | None = None
        self._store = store
        self._seq = seq
        self._step = step
        self._run_values = claim.values
        self._deadline = time.monotonic() + float(step["timeout"])
        self._last_said = 0.0
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._folder_lock = threading.Lock()

    @cached_property
    def idea(self) -> str:
        return patiently(lambda: self._store.idea(self.run_id))

    @cached_property
    def seen_before(self) -> Sequence[SeenBefore]:
        return patiently(lambda: self._store.run(self.run_id)).seen_before

    @cached_property
    def models(self) -> Models | None:
        return self._models(self) if self._models else None

    @cached_property
    def values(self) -> Mapping[str, Any]:
        known: dict[str, Any] = dict(self._run_values)
        if self._step["item"]:
            name, over, index = self._step["item"]
            known[name] = self._item(over, index)
        written = {
            key: fill_in(value, lambda path: self._find(path, known)) for key, value in self._step["values"].items()
        }
        return {**known, **written}

    @property
    def work_folder(self) -> Path:
        with self._folder_lock:
            if self._folder is None:
                self._folder = tempfile.TemporaryDirectory(prefix="zts-", ignore_cleanup_errors=True)
            return Path(self._folder.name)

    @property
    def seconds_left(self) -> float:
        return self._deadline - time.monotonic()

    def earlier(self, namespace: str) -> Mapping[str, Any] | None:
        return self.inputs.output(namespace)

    def earlier_as(self, namespace: str, model: type[Result]) -> Result | None:
        output = self.earlier(namespace)
        return None if output is None else model.model_validate(output)

    def say(self, line: str) -> None:
        now = time.monotonic()
        if now - self._last_said >= SAY_INTERVAL_S:
            self._last_said = now
            # A line that is lost costs a crew nothing; a crew that fails for it would be paid for twice.
            with contextlib.suppress(ServiceUnavailable):
                self._store.say(self.run_id, self._seq, attempt=self.attempt, line=line[:500])

    def check(self) -> None:
        if self.stopped:
            raise StepAbandoned(f"{self.state} of run {self.run_id} may not go on: {self.stopped}")

    def close(self) -> None:
        """Remove the work folder."""
        if self._folder is not None:
            self._folder.cleanup()

    def _item(self, over: str, index: int) -> Any:
        namespace, _, path = over.partition(".")
        place = f"{dumps(self._step['inputs'].get(namespace))} {path}"
        value = self._lists.item(self.run_id, place, index, read=lambda: lookup(self.earlier(namespace) or {}, path))
        if value is MISSING:
            raise PermanentError(f"item {index + 1} of {over} is not there")
        return value

    def _find(self, path: str, known: Mapping[str, Any]) -> Any:
        value = lookup(known, path)
        if value is MISSING:
            namespace, _, rest = path.partition(".")
            output = self.earlier(namespace)
            value = MISSING if output is None else lookup(output, rest) if rest else output
        if value is MISSING:
            raise PermanentError(f"${{{path}}} in the step's `with` is not there; name a field an earlier step gives")
        return value


def fill_in(value: Any, find: Callable[[str], Any]) -> Any:
    """`value` with each `${path}` replaced; a text that is one reference takes the referred value's type."""
    if isinstance(value, dict):
        return {key: fill_in(inner, find) for key, inner in value.items()}
    if isinstance(value, list):
        return [fill_in(inner, find) for inner in value]
    if not isinstance(value, str):
        return value
    whole = REFERENCE.fullmatch(value)
    if whole:
        return find(whole[1])
    return re.sub(REFERENCE, lambda match: str(find(match[1])), value)
