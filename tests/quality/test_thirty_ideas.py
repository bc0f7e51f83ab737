"""Thirty ideas of every kind: judged with reasons, read in their own words, built into projects that work.

Building and testing all of them takes a minute, so CI builds some by a seed of its own (`QUALITY_SEED`); `make quality`
builds all.
"""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
import urllib.request
from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest

from tests.quality.thirty_ideas import IDEAS, Written
from tests.servers import wait_until
from zts_core.errors import PermanentError
from zts_core.likeness import ALIKE, likeness, words
from zts_worker.crews.builder import BuilderCrew
from zts_worker.crews.reading import read_idea
from zts_worker.crews.validator import ValidatorCrew
from zts_worker.testing import TestContext

BUILT_IN_CI = 10
SEED = os.environ.get("QUALITY_SEED", "1")
ALL = os.environ.get("QUALITY") == "all"
LAWFUL = [idea for idea in IDEAS if idea.buildable]
TO_BUILD = LAWFUL if ALL else random.Random(SEED).sample(LAWFUL, BUILT_IN_CI)


def judged(idea: Written) -> ValidatorCrew.Output:
    return ValidatorCrew().run(TestContext(idea=idea.text))


each_idea = pytest.mark.parametrize("idea", IDEAS, ids=lambda idea: idea.name)


def test_there_are_thirty() -> None:
    assert len({idea.name for idea in IDEAS}) == len(IDEAS) == 30


@each_idea
def test_the_things_found_are_the_ideas_own(idea: Written) -> None:
    found = {entity.name for entity in read_idea(idea.text).entities}
    assert set(idea.things) <= found
    assert not set(idea.never) & found
    assert found, "something is always found"


@each_idea
def test_what_is_done_and_what_it_is_are_read(idea: Written) -> None:
    reading = read_idea(idea.text)
    assert set(idea.does) <= {action.verb for action in reading.actions}
    assert reading.kind in idea.kinds


@each_idea
def test_the_verdict_makes_sense_and_every_score_names_what_it_rests_on(idea: Written) -> None:
    output = judged(idea)
    assert output.recommendation in idea.verdicts
    sentences = read_idea(idea.text).sentences
    for point in output.rubric:
        assert point.reason, point.name
        if point.sentence:
            assert point.sentence in sentences or point.sentence == read_idea(idea.text).title
        elif point.score > 0 and point.name not in ("care", "feasibility"):
            pytest.fail(f"{point.name} earned {point.score} for no sentence")


def test_the_judgements_differ_between_ideas() -> None:
    outputs = [judged(idea) for idea in IDEAS]
    assert len({output.confidence for output in outputs}) >= 24
    verdicts = Counter(output.recommendation for output in outputs)
    assert set(verdicts) == {"go", "research", "pivot", "no_go"}
    assert max(verdicts.values()) <= 18
    assert len({tuple(point.score for point in output.rubric) for output in outputs}) >= 28
    assert len({output.title for output in outputs}) == 30


@each_idea
def test_titles_can_be_read(idea: Written) -> None:
    title = read_idea(idea.text).title
    assert len(title) <= 60
    assert title.split()[-1].lower() not in ("a", "an", "the", "and", "or", "of", "with", "from", "to", "about", "into")


def test_no_two_of_them_look_alike() -> None:
    known = {idea.name: words(idea.text) for idea in IDEAS}
    for one, other in combinations(known, 2):
        assert likeness(known[one], known[other]) < ALIKE / 2, (one, other)


def test_nothing_is_built_for_something_illegal() -> None:
    for idea in IDEAS:
        if not idea.buildable:
            with pytest.raises(PermanentError, match="illegal"):
                BuilderCrew().run(TestContext(idea=idea.text))


@pytest.mark.parametrize("idea", TO_BUILD, ids=lambda idea: idea.name)
def test_the_project_passes_its_own_tests_and_starts(idea: Written, tmp_path: Path) -> None:
    context = TestContext(idea=idea.text, earlier={"validation": judged(idea)})
    build = BuilderCrew().run(context)
    assert build.status == "completed"
    for path, content in context.artifacts.files.items():
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    project = tmp_path / "project"
    ran = subprocess.run(
        [sys.executable, "-m", "unittest", "-q"], cwd=project, capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    assert "Ran 0 tests" not in ran.stderr
    names = {entity.plural for entity in build.data_model.entities}
    assert names
    page = first_page(project, build.package)
    assert read_idea(idea.text).title.split()[0] in page
    assert all(name.split()[0].lower() in page.lower() for name in names)


def first_page(project: Path, package: str) -> str:
    """What the project serves at its root once it is up."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", package, "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(
        command, cwd=project, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ}
    ) as server:
        try:
            answers: list[str] = []

            def is_up() -> bool:
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
                        answers.append(answer.read().decode())
                except OSError:
                    assert server.poll() is None, "it ended by itself"
                return bool(answers)

            wait_until(is_up)
            return answers[-1]
        finally:
            server.terminate()
            server.wait(10)
