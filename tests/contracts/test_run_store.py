"""What every RunStore must do, asked of the one in memory and of the one on a real Redis: records and reads."""

from __future__ import annotations

import pytest

from tests.contracts.store_worlds import World
from tests.unit.heart.playing import approval, parallel, plan_of, step, when
from zts_core.advance import advance
from zts_core.errors import UnknownRun
from zts_core.ports import ClaimVerdict, LeaseVerdict, NewRun, RequeueVerdict, SettleVerdict
from zts_core.run import Outcome, RunState, RunStatus, StepStatus


class TestCreating:
    def test_a_new_run_has_its_first_wave_on_record(self, world: World) -> None:
        world.submit(parallel(step("A"), step("B")), key="", out="/shipped", values={"tone": "dry"})
        record = world.store.run("r1")
        assert (record.status, record.outcome, record.started) == (RunStatus.RUNNING, None, 2)
        assert (record.title, record.workflow, record.out) == ("a title", "main", "/shipped")
        assert (record.max_steps, record.values) == (50, {"tone": "dry"})
        assert [(s.seq, s.state, s.status, s.attempt) for s in world.store.steps("r1")] == [
            (1, "A", StepStatus.QUEUED, 0),
            (2, "B", StepStatus.QUEUED, 0),
        ]
        assert world.store.idea("r1") == "an idea"
        assert world.kinds() == ["run_created", "wave"]

    def test_times_are_the_stores_clock(self, world: World) -> None:
        world.submit(step("A"), deadline_s=60)
        record = world.store.run("r1")
        assert record.deadline_ms == record.created_ms + 60_000
        assert record.created_ms <= world.store.ledger("r1")[0].at_ms < record.deadline_ms

    def test_the_same_key_gives_the_first_run_and_changes_nothing(self, world: World) -> None:
        world.submit(step("A"), key="mine")
        assert world.create(plan_of(step("B")), run_id="r2", key="mine") == "r1"
        assert [record.run_id for record in world.store.runs(limit=10)] == ["r1"]
        with pytest.raises(UnknownRun):
            world.store.run("r2")

    def test_a_create_whose_answer_was_lost_is_repeated_without_harm(self, world: World) -> None:
        plan = world.submit(step("A"), key="mine")
        world.claimed()
        assert world.create(plan, key="mine") == "r1"
        assert world.store.steps("r1")[0].status is StepStatus.RUNNING
        assert world.kinds().count("wave") == 1

    def test_runs_without_a_key_are_all_different(self, world: World) -> None:
        world.submit(step("A"))
        world.submit(step("A"), run_id="r2")
        assert set(world.store.unfinished()) == {"r1", "r2"}

    def test_the_plan_comes_back_as_it_was(self, world: World) -> None:
        plan = world.submit(step("A", with_={"x": [1, {"y": None}]}), step("B", conditions=[when("a.n", 1)]))
        kept_as = world.store.position("r1").plan_digest
        assert world.store.run("r1").plan_digest == kept_as
        assert world.store.plan(kept_as).to_json() == plan.to_json()

    def test_a_run_without_any_step_is_finished_at_once(self, world: World) -> None:
        world.submit(step("A", conditions=[when("a.n", on_fail="skip")]))
        record = world.store.run("r1")
        assert (record.status, record.outcome) == (RunStatus.FINISHED, Outcome.COMPLETED)
        assert list(world.store.unfinished()) == []

    def test_a_run_that_begins_with_a_question_is_waiting(self, world: World) -> None:
        world.submit(approval("OK"))
        assert world.store.run("r1").status is RunStatus.WAITING
        question = world.store.steps("r1")[0]
        assert (question.status, question.prompt, question.due_ms) == (StepStatus.WAITING, "May it go on?", 0)

    def test_texts_of_any_script_survive(self, world: World) -> None:
        plan = plan_of(step("A"))
        odd = 'наука 🚀 "quoted" \\ \u2028 \x01 end'

        world.store.create(NewRun("r1", odd, odd, "main", 5, 60, values={"x": odd}), plan, advance(plan, RunState(5)))
        record = world.store.run("r1")
        assert (world.store.idea("r1"), record.title, record.values) == (odd, odd, {"x": odd})


class TestUnknownRuns:
    def test_reads_of_an_unknown_run_say_so(self, world: World) -> None:
        for read in (world.store.run, world.store.position, world.store.data):
            with pytest.raises(UnknownRun, match="nope"):
                read("nope")
        with pytest.raises(UnknownRun):
            world.store.plan("0" * 64)

    def test_reads_that_list_give_nothing(self, world: World) -> None:
        store = world.store
        assert (list(store.steps("nope")), list(store.ledger("nope")), store.results("nope", [1])) == ([], [], {})

    def test_transitions_of_an_unknown_run_do_nothing(self, world: World) -> None:
        store = world.store
        assert world.claim(run_id="nope").verdict is ClaimVerdict.UNKNOWN
        assert store.renew("nope", 1, attempt=1, lease_s=5) is LeaseVerdict.LOST
        assert world.settle(attempt=1).verdict is SettleVerdict.FENCED
        assert not store.back_off("nope", 1, attempt=1, delay_s=1, error="x")
        assert not store.answer("nope", 1, approved=True, by="me", comment="")
        assert store.withdraw("nope", outcome=Outcome.CANCELLED, reason="x") == 0
        assert not store.pause("nope", paused=True)
        assert store.requeue_expired("nope", 1, takeovers=3) is RequeueVerdict.NOTHING
        assert store.requeue_retry("nope", 1) is RequeueVerdict.NOTHING
        assert store.touch_unclaimed("nope", 1) is RequeueVerdict.NOTHING
        assert store.expire_approval("nope", 1) is RequeueVerdict.NOTHING
        store.touch_undecided("nope")
        store.forget_deadline("nope")
        store.say("nope", 1, attempt=1, line="hello")
        assert list(store.unfinished()) == []


class TestReading:
    def test_the_newest_runs_come_first(self, world: World) -> None:
        for n in range(3):
            world.submit(step("A"), run_id=f"r{n}")
            world.let_pass(0.005)
        assert [record.run_id for record in world.store.runs(limit=2)] == ["r2", "r1"]
        assert list(world.store.unfinished()) == ["r0", "r1", "r2"]

    def test_the_ledger_is_read_on_from_an_entry(self, world: World) -> None:
        world.submit(step("A"))
        entries = world.store.ledger("r1")
        world.claimed()
        assert [entry.kind for entry in world.store.ledger("r1", after=entries[-1].id)] == ["attempt_started"]
        assert world.store.ledger("r1", after=world.store.ledger("r1")[-1].id) == []

    def test_following_gives_what_is_new_and_nothing_where_nothing_comes(self, world: World) -> None:
        world.submit(step("A"))
        assert [entry.kind for entry in world.store.follow("r1", wait_s=0.01)] == ["run_created", "wave"]
        last = world.store.ledger("r1")[-1].id
        assert list(world.store.follow("r1", after=last, wait_s=0.01)) == []

    def test_the_wave_names_its_steps(self, world: World) -> None:
        world.submit(parallel(step("A"), step("B")))
        assert world.store.ledger("r1")[-1].detail == {"states": ["A", "B"], "seqs": [1, 2]}

    def test_results_of_no_steps_are_none(self, world: World) -> None:
        world.submit(step("A"))
        assert world.store.results("r1", []) == {}
        assert world.store.results("r1", [1]) == {}

    def test_a_round_trip_takes_some_time_or_none(self, world: World) -> None:
        assert world.store.ping() >= 0


def test_several_runs_are_recorded_by_one_call_and_a_repetition_changes_nothing(world: World) -> None:
    plan = plan_of(step("A"), step("B"))
    first = world.create(plan, run_id="first", key="k")
    decision = advance(plan, RunState(max_steps=50))
    runs = [
        (NewRun(run_id, "an idea", "a title", "main", 50, 60, key=key), decision)
        for run_id, key in (("r1", "k"), ("r2", ""), ("r3", "other"))
    ]
    for _ in range(2):
        created = world.store.create_many(runs, plan)
        assert [(run.run_id, run.existed) for run in created] == [(first, True), ("r2", False), ("r3", False)]
    assert sorted(world.store.unfinished()) == ["first", "r2", "r3"]
    assert [entry.kind for entry in world.store.ledger("r3")] == ["run_created", "wave"]
    assert world.store.claim("r2", 1, worker="w", lease_s=30).state is not None


def test_runs_recorded_together_bring_their_plan_even_where_the_first_existed(world: World) -> None:
    world.create(plan_of(step("OTHER")), run_id="first", key="k")
    plan = plan_of(step("A"))
    decision = advance(plan, RunState(max_steps=50))
    runs = [(NewRun(run_id, "i", "t", "main", 50, 60, key=key), decision) for run_id, key in (("r1", "k"), ("r2", ""))]
    world.store.create_many(runs, plan)
    world.store._plans.clear() if hasattr(world.store, "_plans") else None
    assert world.store.plan(world.store.run("r2").plan_digest).digest == plan.digest
