"""What every RunStore must do: decisions, loops and answers."""

from __future__ import annotations

import pytest

from tests.contracts.store_worlds import World
from tests.unit.heart.playing import approval, loop, parallel, step
from zts_core.advance import advance
from zts_core.ports import RecordVerdict, RequeueVerdict, SettleVerdict, StepResult
from zts_core.run import Ending, Outcome, RunStatus, Settled, SettledAs

A_LEASE = 0.05
"""Seconds of a lease, a back-off or a time-out that a test wants to see pass."""


class TestRecording:
    def test_a_decision_moves_the_run_on(self, world: World) -> None:
        plan = world.submit(step("A"), step("B"))
        world.claimed()
        world.settle()
        before = world.store.position("r1").version
        assert world.store.record("r1", world.decide(plan), version=before) == (RecordVerdict.RECORDED, "")
        position = world.store.position("r1")
        assert (position.version, position.settled) == (before + 1, ())
        assert [s.state for s in world.store.steps("r1")] == ["A", "B"]

    def test_the_second_of_two_deciders_is_stale(self, world: World) -> None:
        plan = world.submit(step("A"), step("B"))
        world.claimed()
        world.settle()
        version = world.store.position("r1").version
        first, second = world.decide(plan), world.decide(plan)
        assert world.store.record("r1", first, version=version)[0] is RecordVerdict.RECORDED
        assert world.store.record("r1", second, version=version)[0] is RecordVerdict.STALE
        assert world.kinds().count("wave") == 2

    def test_what_settled_after_the_position_was_read_stays_undecided(self, world: World) -> None:
        plan = world.submit(parallel(step("A"), step("B")), step("C"))
        world.claimed(1)
        world.settle(1)
        version, decision = world.store.position("r1").version, world.decide(plan)
        world.claimed(2)
        world.settle(2)
        assert world.store.record("r1", decision, version=version)[0] is RecordVerdict.RECORDED
        assert [settled.seq for settled in world.store.position("r1").settled] == [2]
        assert world.due(undecided_after_s=0).undecided == ("r1",)

    def test_the_last_decision_finishes_the_run(self, world: World) -> None:
        plan = world.submit(step("A"))
        world.claimed()
        world.settle()
        world.advance(plan)
        record = world.store.run("r1")
        assert (record.status, record.outcome, record.reason) == (
            RunStatus.FINISHED,
            Outcome.COMPLETED,
            "all its steps are done",
        )
        assert record.finished_ms >= record.created_ms
        assert list(world.store.unfinished()) == []
        assert world.due(undecided_after_s=0).undecided == ()
        assert world.kinds().count("run_finished") == 1

    def test_a_finished_run_is_decided_no_more(self, world: World) -> None:
        plan = world.submit(step("A"))
        world.claimed()
        world.settle()
        decision = world.advance(plan)
        version = world.store.position("r1").version
        assert world.store.record("r1", decision, version=version)[0] is RecordVerdict.STALE
        assert world.kinds().count("run_finished") == 1

    def test_data_are_references_to_the_committed_effects(self, world: World) -> None:
        plan = world.submit(step("A"), step("B"))
        world.claimed()
        world.settle()
        world.advance(plan)
        assert world.store.data("r1") == {"a": 1}

    def test_a_failed_run_says_why(self, world: World) -> None:
        plan = world.submit(step("A"))
        world.claimed()
        world.settle(status=SettledAs.FAILED, reason="out of paper")
        world.advance(plan)
        record = world.store.run("r1")
        assert (record.outcome, record.reason) == (Outcome.FAILED, "out of paper")


class TestLoops:
    def go_round(self, world: World) -> tuple[list[RecordVerdict], str]:
        """A loop whose step always gives the same; every decision is recorded until one is refused."""
        plan = world.submit(loop("L", step("S", "a"), times=9))
        verdicts = []
        for seq in range(1, 9):
            world.claimed(seq)
            world.store.settle("r1", _same(seq), attempt=1, result=StepResult("a", {}))
            version = world.store.position("r1").version
            verdict, place = world.store.record("r1", world.decide(plan), version=version)
            verdicts.append(verdict)
            if verdict is RecordVerdict.LOOP:
                return verdicts, place
        return verdicts, ""

    def test_the_third_visit_with_the_same_data_is_refused(self, world: World) -> None:
        verdicts, place = self.go_round(world)
        # The first visit saw no data yet; the second, third and fourth saw the same.
        assert verdicts == [RecordVerdict.RECORDED, RecordVerdict.RECORDED, RecordVerdict.LOOP]
        assert "main.0.0" in place
        assert len(world.store.steps("r1")) == 3

    def test_a_refused_decision_changes_nothing_and_can_be_replaced_by_an_end(self, world: World) -> None:
        self.go_round(world)
        position = world.store.position("r1")
        assert [settled.seq for settled in position.settled] == [3]

        plan = world.store.plan(position.plan_digest)
        halted = Ending(Outcome.HALTED_LOOP, "no progress")
        decision = advance(plan, position.state, position.settled, stop=halted)
        assert world.store.record("r1", decision, version=position.version)[0] is RecordVerdict.RECORDED
        assert world.store.run("r1").outcome is Outcome.HALTED_LOOP

    def test_a_commit_keeps_its_effect_when_its_decision_is_a_loop(self, world: World) -> None:

        plan = world.submit(loop("L", step("S", "a"), times=9))
        verdicts = []
        for seq in (1, 2, 3):
            claim = world.claim(seq)
            assert claim.state
            decision = advance(plan, claim.state, [_same(seq)])
            settling = world.store.settle(
                "r1",
                _same(seq),
                attempt=1,
                result=StepResult("a", {}),
                decision=decision,
                version=claim.version,
            )
            verdicts.append(settling.verdict)
        assert verdicts == [SettleVerdict.DECIDED, SettleVerdict.DECIDED, SettleVerdict.LOOP]
        assert "main.0.0" in settling.place
        assert settling.undecided == 1
        assert world.store.results("r1", [3])


class TestAnswering:
    @pytest.mark.parametrize(("approved", "status"), [(True, SettledAs.APPROVED), (False, SettledAs.REJECTED)])
    def test_an_answer_settles_the_question(self, world: World, approved: bool, status: SettledAs) -> None:
        world.submit(approval("OK"), step("A"))
        assert world.store.answer("r1", 1, approved=approved, by="ada", comment="because")
        settled = world.store.position("r1").settled[0]
        assert (settled.seq, settled.status) == (1, status)
        assert settled.reason == f"{status} by ada: because"
        assert world.store.ledger("r1")[-1].detail == {"approved": approved, "by": "ada", "comment": "because"}

    def test_only_the_first_answer_counts(self, world: World) -> None:
        world.submit(approval("OK"), step("A"))
        assert world.store.answer("r1", 1, approved=True, by="ada", comment="")
        assert not world.store.answer("r1", 1, approved=False, by="bob", comment="")
        assert world.store.position("r1").settled[0].status is SettledAs.APPROVED

    def test_a_step_cannot_be_answered(self, world: World) -> None:
        world.submit(step("A"))
        assert not world.store.answer("r1", 1, approved=True, by="ada", comment="")

    @pytest.mark.parametrize(
        ("on_timeout", "status"), [("approve", SettledAs.APPROVED), ("reject", SettledAs.REJECTED)]
    )
    def test_a_question_nobody_answers_is_answered_as_the_workflow_says(
        self, world: World, on_timeout: str, status: SettledAs
    ) -> None:
        world.submit(approval("OK", timeout=A_LEASE, on_timeout=on_timeout), step("A"))
        assert world.due().approvals == ()
        assert world.store.expire_approval("r1", 1) is RequeueVerdict.NOTHING
        world.let_pass(A_LEASE * 1.2)
        assert world.due().approvals == (("r1", 1),)
        assert world.store.expire_approval("r1", 1) is RequeueVerdict.DEAD
        assert world.store.expire_approval("r1", 1) is RequeueVerdict.NOTHING
        assert world.due().approvals == ()
        assert world.store.position("r1").settled[0].status is status

    def test_a_question_without_a_time_out_is_never_due(self, world: World) -> None:
        world.submit(approval("OK"))
        world.let_pass(A_LEASE)
        assert world.due().approvals == ()
        assert world.store.expire_approval("r1", 1) is RequeueVerdict.NOTHING


def _same(seq: int):  # type: ignore[no-untyped-def]

    return Settled(seq, SettledAs.DONE, "a", "always the same")
