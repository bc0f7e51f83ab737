"""What every RunStore must do: stopping, pausing, and telling what is due."""

from __future__ import annotations

from tests.contracts.store_worlds import World
from tests.unit.heart.playing import approval, parallel, plan_of, step
from zts_core.advance import advance
from zts_core.ports import ClaimVerdict, LeaseVerdict, RecordVerdict, RequeueVerdict, SettleVerdict
from zts_core.run import Ending, Outcome, RunStatus, Settled, SettledAs, StepStatus

A_LEASE = 0.05
"""Seconds of a lease, a back-off or a time-out that a test wants to see pass."""


class TestStopping:
    def test_what_nobody_works_on_is_withdrawn_at_once(self, world: World) -> None:
        world.submit(parallel(step("A"), step("B"), step("C"), approval("OK", timeout=A_LEASE)))
        world.claimed(1)
        world.claimed(2)
        world.store.back_off("r1", 2, attempt=1, delay_s=A_LEASE, error="x")
        assert world.store.withdraw("r1", outcome=Outcome.CANCELLED, reason="by ada") == 1
        assert [s.status for s in world.store.steps("r1")] == [
            StepStatus.RUNNING,
            StepStatus.CANCELLED,
            StepStatus.CANCELLED,
            StepStatus.CANCELLED,
        ]
        position = world.store.position("r1")
        assert position.stopping == Ending(Outcome.CANCELLED, "by ada")
        assert {settled.status for settled in position.settled} == {SettledAs.CANCELLED}
        world.let_pass(A_LEASE * 1.2)
        due = world.due(unclaimed_after_s=0)
        assert (due.unclaimed, due.retries, due.approvals) == ((), (), ())

    def test_no_attempt_starts_after_a_withdrawal(self, world: World) -> None:
        plan = world.submit(step("A"), step("B"))
        world.claimed()
        world.settle()
        stale = world.decide(plan)
        version = world.store.position("r1").version
        world.store.withdraw("r1", outcome=Outcome.CANCELLED, reason="by ada")
        assert world.store.record("r1", stale, version=version)[0] is RecordVerdict.STALE
        assert len(world.store.steps("r1")) == 1

    def test_a_commit_that_races_a_withdrawal_keeps_its_effect_but_starts_nothing(self, world: World) -> None:

        plan = world.submit(step("A"), step("B"))
        claim = world.claim()
        assert claim.state
        decision = advance(plan, claim.state, [_same(1)])
        assert world.store.withdraw("r1", outcome=Outcome.TIMED_OUT, reason="late") == 1
        settling = world.settle(decision=decision, version=claim.version)
        assert settling.verdict is SettleVerdict.SETTLED
        assert len(world.store.steps("r1")) == 1
        assert world.store.results("r1", [1])

    def test_a_claim_of_a_stopped_run_is_refused(self, world: World) -> None:
        world.submit(parallel(step("A"), step("B")))
        world.claimed(1, lease_s=A_LEASE)
        world.store.withdraw("r1", outcome=Outcome.CANCELLED, reason="by ada")
        assert world.claim(2).verdict in (ClaimVerdict.CANCELLED, ClaimVerdict.SETTLED)
        assert world.store.renew("r1", 1, attempt=1, lease_s=A_LEASE) is LeaseVerdict.CANCELLED
        world.let_pass(A_LEASE * 1.2)
        assert world.store.requeue_expired("r1", 1, takeovers=3) is RequeueVerdict.DEAD
        assert world.store.steps("r1")[0].status is StepStatus.CANCELLED

    def test_a_retry_that_comes_due_after_a_withdrawal_never_starts(self, world: World) -> None:
        world.submit(step("A"))
        world.claimed()
        world.store.withdraw("r1", outcome=Outcome.CANCELLED, reason="by ada")
        world.store.back_off("r1", 1, attempt=1, delay_s=A_LEASE, error="x")
        world.let_pass(A_LEASE * 1.2)
        world.store.requeue_retry("r1", 1)
        assert world.claim().verdict in (ClaimVerdict.CANCELLED, ClaimVerdict.SETTLED)
        assert world.store.steps("r1")[0].attempt == 1

    def test_a_second_withdrawal_keeps_the_first_reason(self, world: World) -> None:
        world.submit(step("A"))
        world.claimed()
        world.store.withdraw("r1", outcome=Outcome.CANCELLED, reason="by ada")
        assert world.store.withdraw("r1", outcome=Outcome.TIMED_OUT, reason="late") == 1
        assert world.store.position("r1").stopping == Ending(Outcome.CANCELLED, "by ada")
        assert world.kinds().count("stopping") == 1

    def test_a_finished_run_cannot_be_withdrawn(self, world: World) -> None:
        plan = world.submit(step("A"))
        world.claimed()
        world.settle()
        world.advance(plan)
        assert world.store.withdraw("r1", outcome=Outcome.CANCELLED, reason="by ada") == 0
        assert world.store.position("r1").stopping is None

    def test_a_stopped_run_ends_with_the_outcome_it_was_stopped_with(self, world: World) -> None:

        plan = world.submit(step("A"))
        world.store.withdraw("r1", outcome=Outcome.TIMED_OUT, reason="late")
        position = world.store.position("r1")
        decision = advance(plan, position.state, position.settled, stop=position.stopping)
        world.store.record("r1", decision, version=position.version)
        assert (world.store.run("r1").outcome, world.store.run("r1").reason) == (Outcome.TIMED_OUT, "late")


class TestPausing:
    def test_a_paused_run_starts_no_attempt(self, world: World) -> None:
        world.submit(step("A"))
        assert world.store.pause("r1", paused=True)
        assert world.store.run("r1").status is RunStatus.PAUSED
        assert world.claim().verdict is ClaimVerdict.PAUSED
        assert world.store.touch_unclaimed("r1", 1) is RequeueVerdict.NOTHING

    def test_a_step_of_a_paused_run_waits_for_no_worker(self, world: World) -> None:
        world.submit(parallel(step("A"), step("B")))
        world.store.pause("r1", paused=True)
        world.claim(1)
        world.let_pass(0.03)
        assert world.due(unclaimed_after_s=0).unclaimed == (("r1", 2),), "its message was not looked at yet"
        world.store.touch_unclaimed("r1", 2)
        world.let_pass(0.03)
        assert world.due(unclaimed_after_s=0).unclaimed == ()
        world.store.pause("r1", paused=False)
        assert world.due().unclaimed == (("r1", 1), ("r1", 2))

    def test_a_run_may_be_recorded_paused_and_starts_when_it_is_resumed(self, world: World) -> None:
        world.create(plan_of(step("A")), paused=True)
        assert world.store.run("r1").status is RunStatus.PAUSED
        assert world.claim().verdict is ClaimVerdict.PAUSED
        world.store.pause("r1", paused=False)
        assert world.due().unclaimed == (("r1", 1),)
        assert world.claim().verdict is ClaimVerdict.CLAIMED

    def test_pausing_twice_changes_nothing(self, world: World) -> None:
        world.submit(step("A"))
        assert not world.store.pause("r1", paused=False)
        assert world.store.pause("r1", paused=True)
        assert not world.store.pause("r1", paused=True)
        assert world.store.pause("r1", paused=False)
        assert world.kinds().count("paused") == world.kinds().count("resumed") == 1

    def test_a_step_at_work_may_end_while_its_run_is_paused(self, world: World) -> None:
        world.submit(step("A"), step("B"))
        world.claimed()
        world.store.pause("r1", paused=True)
        assert world.store.renew("r1", 1, attempt=1, lease_s=5) is LeaseVerdict.HELD
        assert world.settle().verdict is SettleVerdict.SETTLED

    def test_a_resumed_run_is_sent_again_at_once(self, world: World) -> None:
        world.submit(parallel(step("A"), step("B")))
        world.claimed(2)
        world.store.pause("r1", paused=True)
        world.claim(1)
        world.store.pause("r1", paused=False)
        assert world.due(unclaimed_after_s=1000).unclaimed == (("r1", 1),)
        assert world.due(unclaimed_after_s=0.001, backlog=True).unclaimed == (("r1", 1),)
        assert world.store.touch_unclaimed("r1", 1) is RequeueVerdict.QUEUED
        assert world.claim(1).verdict is ClaimVerdict.CLAIMED

    def test_a_stopped_or_finished_run_cannot_be_paused(self, world: World) -> None:
        world.submit(step("A"))
        world.store.withdraw("r1", outcome=Outcome.CANCELLED, reason="x")
        assert not world.store.pause("r1", paused=True)

    def test_a_paused_run_can_be_withdrawn(self, world: World) -> None:
        world.submit(step("A"))
        world.store.pause("r1", paused=True)
        assert world.store.withdraw("r1", outcome=Outcome.CANCELLED, reason="x") == 0
        assert world.store.run("r1").status is not RunStatus.PAUSED


class TestWorkersThatAreGone:
    def test_a_lease_need_not_run_out_where_its_worker_has_no_connection(self, world: World) -> None:
        world.submit(step("A"))
        world.claimed(worker="w", lease_s=30)
        assert not world.store.forsaken(early_s=20, limit=9)
        assert list(world.store.forsaken(early_s=31, limit=9)) == [("r1", 1)]
        assert world.store.requeue_expired("r1", 1, takeovers=3, early_s=20) is RequeueVerdict.NOTHING
        assert world.store.requeue_expired("r1", 1, takeovers=3, early_s=31) is RequeueVerdict.QUEUED
        told = [entry.detail for entry in world.store.ledger("r1") if entry.kind == "lease_expired"]
        assert told == [{"attempt": 1, "worker": "w", "gone": True}]
        assert world.claimed(worker="me") == 2

    def test_a_worker_that_is_connected_keeps_its_lease_to_the_end(self, world: World) -> None:
        world.submit(step("A"))
        world.claimed(worker="me", lease_s=30)
        assert not world.store.forsaken(early_s=31, limit=9)

    def test_a_lease_that_was_renewed_meanwhile_is_not_taken(self, world: World) -> None:
        world.submit(step("A"))
        world.claimed(worker="w", lease_s=1)
        assert list(world.store.forsaken(early_s=2, limit=9)) == [("r1", 1)]
        world.store.renew("r1", 1, attempt=1, lease_s=30)
        assert world.store.requeue_expired("r1", 1, takeovers=3, early_s=2) is RequeueVerdict.NOTHING


class TestWhatIsDue:
    def test_a_step_nobody_claims_is_due_and_put_off_once_it_is_sent_again(self, world: World) -> None:
        world.submit(step("A"))
        assert world.due(unclaimed_after_s=A_LEASE).unclaimed == ()
        world.let_pass(A_LEASE * 1.2)
        assert world.due(unclaimed_after_s=A_LEASE).unclaimed == (("r1", 1),)
        assert world.store.touch_unclaimed("r1", 1) is RequeueVerdict.QUEUED
        assert world.due(unclaimed_after_s=A_LEASE).unclaimed == ()
        assert "sent_again" in world.kinds()

    def test_a_claimed_step_is_not_sent_again(self, world: World) -> None:
        world.submit(step("A"))
        world.claimed()
        world.let_pass(A_LEASE)
        assert world.due(unclaimed_after_s=0).unclaimed == ()
        assert world.store.touch_unclaimed("r1", 1) is RequeueVerdict.NOTHING

    def test_a_backlog_is_not_mistaken_for_loss(self, world: World) -> None:
        world.submit(step("A"))
        world.submit(step("A"), run_id="r2")
        world.let_pass(A_LEASE * 2)
        assert world.due(unclaimed_after_s=A_LEASE, backlog=True).unclaimed == ()
        world.claimed(run_id="r2")
        assert world.due(unclaimed_after_s=A_LEASE, backlog=True).unclaimed == ()

    def test_a_step_that_was_overtaken_in_the_queue_is_lost(self, world: World) -> None:
        world.submit(step("A"))
        world.let_pass(A_LEASE * 1.2)
        world.submit(step("A"), run_id="r2")
        assert world.due(unclaimed_after_s=A_LEASE, backlog=True).unclaimed == ()
        world.claimed(run_id="r2")
        assert world.due(unclaimed_after_s=A_LEASE, backlog=True).unclaimed == (("r1", 1),)

    def test_undecided_settlements_are_due_until_they_are_decided(self, world: World) -> None:
        plan = world.submit(step("A"), step("B"))
        world.claimed()
        assert world.due(undecided_after_s=0).undecided == ()
        world.settle()
        world.let_pass(A_LEASE * 1.2)
        assert world.due(undecided_after_s=A_LEASE).undecided == ("r1",)
        world.store.touch_undecided("r1")
        assert world.due(undecided_after_s=A_LEASE).undecided == ()
        world.advance(plan)
        world.let_pass(A_LEASE * 1.2)
        assert world.due(undecided_after_s=0).undecided == ()

    def test_touching_a_decided_run_does_not_make_it_due(self, world: World) -> None:
        world.submit(step("A"))
        world.store.touch_undecided("r1")
        assert world.due(undecided_after_s=0).undecided == ()

    def test_a_deadline_is_due_until_it_was_acted_on(self, world: World) -> None:
        world.submit(step("A"), deadline_s=A_LEASE)
        assert world.due().deadlines == ()
        world.let_pass(A_LEASE * 1.2)
        assert world.due().deadlines == ("r1",)
        world.store.forget_deadline("r1")
        assert world.due().deadlines == ()

    def test_a_finished_run_has_no_deadline(self, world: World) -> None:
        plan = world.submit(step("A"), deadline_s=A_LEASE)
        world.claimed()
        world.settle()
        world.advance(plan)
        world.let_pass(A_LEASE * 1.2)
        assert world.due().deadlines == ()

    def test_no_more_than_the_limit_is_told_and_the_oldest_first(self, world: World) -> None:
        for n in range(3):
            world.submit(step("A"), run_id=f"r{n}")
            world.let_pass(0.005)
        told = world.store.due(unclaimed_after_s=0, undecided_after_s=0, backlog=False, limit=2)
        assert told.unclaimed == (("r0", 1), ("r1", 1))

    def test_one_caller_per_interval_is_admitted(self, world: World) -> None:
        assert world.store.admit_tick(interval_s=A_LEASE)
        assert not world.store.admit_tick(interval_s=A_LEASE)
        world.let_pass(A_LEASE * 1.2)
        assert world.store.admit_tick(interval_s=A_LEASE)


def _same(seq: int):  # type: ignore[no-untyped-def]

    return Settled(seq, SettledAs.DONE, "a", "always the same")


class TestNames:
    def test_who_knows_a_steps_number_can_ask_for_its_state_crew_and_attempts(self, world: World) -> None:
        world.submit(parallel(step("A"), step("B")))
        world.claimed(1)
        crew = world.store.steps("r1")[0].crew
        assert world.store.names("r1", [1, 9]) == {1: ("A", crew, 1)}
        assert world.store.names("r1", [2])[2][0::2] == ("B", 0)
        assert world.store.names("gone", [1]) == {}
