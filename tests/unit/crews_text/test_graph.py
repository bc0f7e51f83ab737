from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zts_worker.crews.graph import GraphCrew, critical_path, numbered
from zts_worker.crews.graph_tasks import MILESTONES, Draft

from .context import FakeContext
from .ideas import SAMPLES, Sample, example_texts


def _plan(text: str, folder: Path) -> GraphCrew.Output:
    return GraphCrew().run(FakeContext(text, folder))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_every_task_waits_only_for_tasks_before_it(sample: Sample, tmp_path: Path) -> None:
    output = _plan(sample.text, tmp_path)
    assert output.status == "generated"
    assert output.acyclic
    seen: set[str] = set()
    for task in output.tasks:
        assert set(task.depends_on) <= seen
        seen.add(task.id)
    list(TopologicalSorter({task.id: task.depends_on for task in output.tasks}).static_order())


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_there_are_tasks_for_every_thing_of_the_idea_and_a_release_at_the_end(sample: Sample, tmp_path: Path) -> None:
    output = _plan(sample.text, tmp_path)
    assert sample.things <= {task.entity for task in output.tasks}
    assert output.tasks[-1].title == "Release"


def test_what_belongs_to_something_is_kept_after_it(tmp_path: Path) -> None:
    tasks = {task.title: task for task in _plan(example_texts()["bee_hive_log"], tmp_path).tasks}
    assert tasks["Keep each hive"].id in tasks["Keep each inspection"].depends_on


def test_the_critical_path_is_a_chain_of_dependencies_and_the_longest(tmp_path: Path) -> None:
    output = _plan(example_texts()["tool_lending"], tmp_path)
    by_id = {task.id: task for task in output.tasks}
    path = output.critical_path
    assert all(one in by_id[other].depends_on for one, other in pairwise(path.ids))
    assert path.hours == pytest.approx(sum(by_id[name].estimate_hours for name in path.ids))
    assert path.hours <= output.total_hours


def test_milestones_share_out_all_tasks_and_never_wait_for_a_later_one(tmp_path: Path) -> None:
    rank = [name for name, _ in MILESTONES]
    for text in example_texts().values():
        output = _plan(text, tmp_path)
        shared = [name for milestone in output.milestones for name in milestone.tasks]
        assert sorted(shared) == sorted(task.id for task in output.tasks)
        stage = {task.id: rank.index(task.milestone) for task in output.tasks}
        assert all(stage[before] <= stage[task.id] for task in output.tasks for before in task.depends_on)


def test_tasks_that_wait_for_each_other_are_noticed() -> None:
    drafts = [Draft("a", "A", "", 1.0, "Launch", after=["b"]), Draft("b", "B", "", 1.0, "Launch", after=["a"])]
    with pytest.raises(CycleError):
        numbered(drafts)


@given(st.lists(st.tuples(st.floats(0.5, 9.0), st.sets(st.integers(0, 11), max_size=4)), min_size=1, max_size=12))
@settings(deadline=None)
def test_no_chain_is_longer_than_the_critical_path(rows: list[tuple[float, set[int]]]) -> None:
    drafts = [
        Draft(str(at), str(at), "", hours, "Launch", after=[str(k) for k in before if k < at])
        for at, (hours, before) in enumerate(rows)
    ]
    tasks = numbered(drafts)
    longest: dict[str, float] = {}
    for task in tasks:
        longest[task.id] = task.estimate_hours + max((longest[name] for name in task.depends_on), default=0.0)
    assert critical_path(tasks).hours == pytest.approx(max(longest.values()), abs=0.01)


def test_an_idea_without_a_thing_has_no_graph(tmp_path: Path) -> None:
    output = _plan("asdf asdf", tmp_path)
    assert output.status == "failed"
    assert output.tasks == []
    assert output.reason
