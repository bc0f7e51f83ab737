"""What a batch creates is only what begins in it; everything else is merged."""

from __future__ import annotations

from zts_core.graph.first_writing import creating, merging
from zts_core.graph.port import Changes
from zts_core.graph.statements import statements


def begun_step(changes: Changes, step: str, *, crew: str = "Crew") -> None:
    changes.node("steps", step, {"state": "A"}, line=1, run="r", crew=crew)


def named(work: object) -> list[tuple[str, str, int]]:
    """Each statement's file and name, with its number of rows."""
    names = {text: (file, name) for file in ("write", "create") for name, text in statements(file).items()}
    return [(*names[text], len(parameters["rows"])) for text, parameters in work]  # type: ignore[attr-defined]


def test_a_step_that_begins_is_created_with_its_first_attempt_and_what_joins_it() -> None:
    changes = Changes()
    begun_step(changes, "r#2")
    changes.node("attempts", "r#2#1", {"number": 1}, line=2, step="r#2", begun=True)
    changes.edge("next", "r#1", "r#2")
    changes.edge("used", "r#2", "r#1")
    work = creating(changes)
    assert work is not None
    assert named(work) == [("create", "steps_begun", 1), ("create", "next", 1), ("create", "used", 1)]
    (row,) = work[0][1]["rows"]
    assert row["props"] == {"id": "r#2", "line": 1, "state": "A"}
    assert row["attempts"] == [{"id": "r#2#1", "line": 2, "number": 1}]


def test_what_began_in_an_earlier_batch_is_merged() -> None:
    changes = Changes()
    begun_step(changes, "r#2")
    changes.node("steps", "r#1", {"status": "done"}, line=2)
    changes.node("attempts", "r#1#1", {"status": "done"}, line=2, step="r#1")
    changes.node("attempts", "r#1#2", {"number": 2}, line=2, step="r#1", begun=True)
    assert named(creating(changes)) == [("create", "steps_begun", 1), ("write", "steps", 1), ("write", "attempts", 2)]


def test_what_leads_to_an_approval_is_merged_as_the_approval_is() -> None:
    changes = Changes()
    begun_step(changes, "r#2")
    begun_step(changes, "r#3", crew="")
    changes.edge("next", "r#1", "r#2")
    changes.edge("next", "r#2", "r#3")
    assert named(creating(changes)) == [
        ("create", "steps_begun", 1),
        ("write", "steps_asked", 1),
        ("create", "next", 1),
        ("write", "next", 1),
    ]


def test_a_batch_in_which_nothing_begins_is_merged_at_once() -> None:
    changes = Changes()
    changes.node("steps", "r#1", {"status": "done"}, line=2)
    assert creating(changes) is None
    assert named(merging(changes)) == [("write", "steps", 1)]
