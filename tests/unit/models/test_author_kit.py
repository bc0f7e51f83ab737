"""The kit tells authors what is wrong with their crew."""

from __future__ import annotations

import contextlib
import itertools
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel, ConfigDict

from zts_core.catalogue import CrewInvalid, find_crew, list_crews, max_concurrent
from zts_core.crew import StepContext
from zts_core.errors import BadInput, StepAbandoned
from zts_worker.testing import TestContext, assert_contract, run_crew


class Count(BaseModel):
    """An output."""

    model_config = ConfigDict(extra="forbid")

    count: int


class Counting:
    """A crew that keeps the contract; each test breaks one thing."""

    name: ClassVar[str] = "Counting"
    namespace: ClassVar[str] = "counting"
    Output = Count

    def run(self, context: StepContext) -> Any:
        context.check()
        return Count(count=len(context.idea))


def test_a_good_crew_passes() -> None:
    assert_contract(Counting)


@pytest.mark.parametrize(
    "name", [name for name in list_crews() if name in ("ValidatorCrew", "GraphCrew", "LaunchCrew")]
)
def test_shipped_crews_pass(name: str) -> None:
    assert_contract(find_crew(name))


def test_an_async_crew_runs() -> None:
    class Async(Counting):
        async def run(self, context: StepContext) -> Any:
            return {"count": 1}

    assert run_crew(Async).count == 1


def test_a_class_that_is_no_crew_is_named_with_what_it_lacks() -> None:
    class Nameless:
        Output = Count

    with pytest.raises(CrewInvalid, match=r"lacks a `name`.*`namespace`.*`run"):
        assert_contract(Nameless)  # type: ignore[arg-type]


def test_an_answer_that_does_not_fit_is_named() -> None:
    class Wrong(Counting):
        def run(self, context: StepContext) -> Any:
            return {"count": "many"}

    with pytest.raises(AssertionError, match="no valid Count"):
        run_crew(Wrong)


def test_a_crew_that_counts_its_calls_is_found_out() -> None:
    calls = itertools.count()

    class Fickle(Counting):
        def run(self, context: StepContext) -> Any:
            return Count(count=next(calls))

    with pytest.raises(AssertionError, match="differently when an attempt is repeated"):
        assert_contract(Fickle)


def test_a_crew_that_changes_earlier_outputs_is_found_out() -> None:
    class Meddler(Counting):
        def run(self, context: StepContext) -> Any:
            context.earlier("build")["files"].append("mine")  # type: ignore[index]
            return Count(count=1)

    with pytest.raises(AssertionError, match="changed what earlier steps gave"):
        assert_contract(Meddler, earlier={"build": {"files": []}})


def test_a_crew_that_swallows_the_cancel_is_found_out() -> None:
    class Deaf(Counting):
        def run(self, context: StepContext) -> Any:
            with contextlib.suppress(StepAbandoned):
                context.check()
            return Count(count=1)

    with pytest.raises(AssertionError, match="let that error through"):
        assert_contract(Deaf)


def test_a_path_that_leaves_the_folder_is_refused() -> None:
    class Climber(Counting):
        def run(self, context: StepContext) -> Any:
            context.artifacts.write_text("../outside.txt", "x")
            return Count(count=1)

    with pytest.raises(BadInput, match="outside"):
        run_crew(Climber)


def test_files_and_lines_can_be_looked_at_afterwards() -> None:
    class Writer(Counting):
        def run(self, context: StepContext) -> Any:
            (context.work_folder / "a.txt").write_text("a", "utf-8")
            context.artifacts.add_folder(context.work_folder, "made")
            context.say("done")
            return Count(count=len(context.earlier_artifacts.read_bytes("build", "x.bin")))

    context = TestContext(earlier_files={"build": {"x.bin": b"123"}})
    assert run_crew(Writer, context).count == 3
    assert (context.artifacts.text("made/a.txt"), context.said) == ("a", ["done"])
    context.close()


def test_a_crew_says_how_many_of_its_steps_may_be_at_work_at_once() -> None:
    class FewCrew:
        name = "FewCrew"
        max_concurrent: object = 2

    assert max_concurrent(FewCrew) == 2  # type: ignore[type-var, arg-type]
    for nonsense in (-1, True, "two", 10**9):
        FewCrew.max_concurrent = nonsense
        with pytest.raises(CrewInvalid, match="max_concurrent of the crew FewCrew"):
            max_concurrent(FewCrew)  # type: ignore[type-var, arg-type]
