"""A fan-out over an empty list leaves an empty output, so that conditions after it can read it."""

from __future__ import annotations

from zts_core.advance import advance
from zts_core.outputs import output_at
from zts_core.run import Outcome, RunState, Settled, SettledAs
from zts_core.workflow.model import Workflow
from zts_core.workflow.plan import Plan, compile_plan


def test_a_condition_can_read_the_count_of_an_empty_fan_out() -> None:
    flow = Workflow.model_validate(
        {
            "name": "main",
            "sequence": [
                {"state": "LIST", "crew": "Lister"},
                {"foreach": {"over": "list.items", "as": "item", "step": {"state": "ITEM", "crew": "Maker"}}},
                {
                    "state": "COMPLETED",
                    "conditions": [{"field": "made.count", "operator": "==", "value": 0}],
                },
            ],
        }
    )
    plan = Plan.from_json(compile_plan("main", {"main": flow}, namespace_of=lambda _crew: "made").to_json())
    first = advance(plan, RunState(max_steps=5))
    ended = advance(plan, first.state, [Settled(1, SettledAs.DONE, "list", "d", plan.facts("list", {"items": []}))])
    assert ended.finish is not None
    assert ended.finish.outcome is Outcome.COMPLETED
    assert output_at(ended.state.data["made"].ref, {}) == {"items": [], "count": 0, "failed": 0, "skipped": 0}
