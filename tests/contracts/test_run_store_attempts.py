"""What every RunStore must do: claims, leases, commits and back-offs, all fenced by the attempt."""

from __future__ import annotations

from tests.contracts.store_worlds import World
from tests.unit.heart.playing import approval, parallel, step, when
from zts_core.advance import advance
from zts_core.audit import digest
from zts_core.ports import ClaimVerdict, LeaseVerdict, RequeueVerdict, SettleVerdict, StepResult
from zts_core.redis_store.codec import result_json
from zts_core.run import Outcome, Settled, SettledAs, StepStatus

A_LEASE = 0.05
"""Seconds of a lease, a back-off or a time-out that a test wants to see pass."""


class TestClaiming:
    def test_a_claim_gives_all_that_a_worker_needs(self, world: World) -> None:
        plan = world.submit(step("A", timeout=7, retry_attempts=2, with_={"x": 1}), values={"tone": "dry"})
        claim = world.claim(worker="host:1")
        assert (claim.verdict, claim.attempt, claim.failures, claim.undecided) == (ClaimVerdict.CLAIMED, 1, 0, 0)
        assert (world.store.plan(claim.plan_digest).digest, claim.values) == (plan.digest, {"tone": "dry"})
        assert (claim.step["state"], claim.step["crew"], claim.step["timeout"]) == ("A", "a", 7)
        assert (claim.step["retry_attempts"], claim.step["values"]) == (2, {"x": 1})
        assert claim.state == world.store.position("r1").state
        assert claim.version == world.store.position("r1").version

    def test_the_second_claim_of_a_step_finds_it_held(self, world: World) -> None:
        world.submit(step("A"))
        world.claimed(worker="one")
        assert world.claim(worker="two").verdict is ClaimVerdict.HELD
        assert world.store.steps("r1")[0].worker == "one"

    def test_an_expired_lease_is_not_for_the_taking(self, world: World) -> None:
        world.submit(step("A"))
        world.claimed(lease_s=A_LEASE)
        world.let_pass(A_LEASE * 1.2)
        assert world.claim().verdict is ClaimVerdict.HELD

    def test_a_settled_step_is_not_run_again(self, world: World) -> None:
        world.submit(step("A"))
        world.claimed()
        world.settle()
        assert world.claim().verdict is ClaimVerdict.SETTLED

    def test_a_number_that_was_never_given_out_is_unknown(self, world: World) -> None:
        world.submit(step("A"))
        assert world.claim(99).verdict is ClaimVerdict.UNKNOWN

    def test_an_open_question_is_not_for_workers(self, world: World) -> None:
        world.submit(approval("OK"))
        assert world.claim().verdict is ClaimVerdict.HELD

    def test_the_ledger_knows_attempt_and_worker(self, world: World) -> None:
        world.submit(step("A"))
        world.claimed(worker="host:1")
        entry = world.store.ledger("r1")[-1]
        assert (entry.kind, entry.seq) == ("attempt_started", 1)
        assert entry.detail == {"attempt": 1, "worker": "host:1"}

    def test_a_claim_tells_how_much_nobody_has_decided(self, world: World) -> None:
        world.submit(parallel(step("A"), step("B")))
        world.claimed(1)
        world.settle(1)
        assert world.claim(2).undecided == 1


class TestLeases:
    def test_a_renewed_lease_lives_on(self, world: World) -> None:
        world.submit(step("A"))
        world.claimed(lease_s=A_LEASE)
        assert world.store.renew("r1", 1, attempt=1, lease_s=30) is LeaseVerdict.HELD
        world.let_pass(A_LEASE * 1.2)
        assert world.due().leases == ()
        assert world.store.requeue_expired("r1", 1, takeovers=3) is RequeueVerdict.NOTHING

    def test_an_expired_lease_is_due_and_queued_again(self, world: World) -> None:
        world.submit(step("A"))
        world.claimed(lease_s=A_LEASE)
        assert world.due().leases == ()
        world.let_pass(A_LEASE * 1.2)
        assert world.due().leases == (("r1", 1),)
        assert world.store.requeue_expired("r1", 1, takeovers=3) is RequeueVerdict.QUEUED
        assert world.due().leases == ()
        assert world.store.requeue_expired("r1", 1, takeovers=3) is RequeueVerdict.NOTHING
        assert world.claimed(worker="other") == 2
        assert "lease_expired" in world.kinds()

    def test_a_lease_that_ran_out_may_still_be_renewed_while_nobody_took_over(self, world: World) -> None:
        world.submit(step("A"))
        world.claimed(lease_s=A_LEASE)
        world.let_pass(A_LEASE * 1.2)
        assert world.store.renew("r1", 1, attempt=1, lease_s=30) is LeaseVerdict.HELD
        assert world.store.requeue_expired("r1", 1, takeovers=3) is RequeueVerdict.NOTHING

    def test_a_lease_is_lost_once_the_step_is_queued_again_or_settled(self, world: World) -> None:
        world.submit(step("A"))
        world.claimed(lease_s=A_LEASE)
        world.let_pass(A_LEASE * 1.2)
        world.store.requeue_expired("r1", 1, takeovers=3)
        assert world.store.renew("r1", 1, attempt=1, lease_s=30) is LeaseVerdict.LOST
        world.claimed()
        assert world.store.renew("r1", 1, attempt=1, lease_s=30) is LeaseVerdict.LOST
        assert world.store.renew("r1", 1, attempt=2, lease_s=30) is LeaseVerdict.HELD
        world.settle(attempt=2)
        assert world.store.renew("r1", 1, attempt=2, lease_s=30) is LeaseVerdict.LOST

    def test_a_step_whose_workers_die_too_often_is_dead(self, world: World) -> None:
        plan = world.submit(step("A", on_error="fail"))
        for attempt in (1, 2):
            assert world.claimed(lease_s=A_LEASE) == attempt
            world.let_pass(A_LEASE * 1.2)
            assert world.store.requeue_expired("r1", 1, takeovers=2) is RequeueVerdict.QUEUED
        world.claimed(lease_s=A_LEASE)
        world.let_pass(A_LEASE * 1.2)
        assert world.store.requeue_expired("r1", 1, takeovers=2) is RequeueVerdict.DEAD
        dead = world.store.steps("r1")[0]
        assert dead.status is StepStatus.FAILED
        assert "died 3 times" in dead.error
        assert world.settle(attempt=3).verdict is SettleVerdict.FENCED
        decision = world.advance(plan)
        assert decision.finish
        assert decision.finish.outcome is Outcome.FAILED

    def test_takeovers_are_counted_apart_from_failures(self, world: World) -> None:
        world.submit(step("A"))
        world.claimed(lease_s=A_LEASE)
        world.let_pass(A_LEASE * 1.2)
        world.store.requeue_expired("r1", 1, takeovers=3)
        claim = world.claim()
        assert (claim.attempt, claim.failures) == (2, 0)


class TestSaying:
    def test_a_line_of_the_owner_is_kept(self, world: World) -> None:
        world.submit(step("A"))
        world.claimed()
        world.store.say("r1", 1, attempt=1, line="half way")
        assert world.store.steps("r1")[0].line == "half way"
        assert world.store.ledger("r1")[-1].detail == {"line": "half way"}

    def test_a_line_of_anybody_else_is_dropped(self, world: World) -> None:
        world.submit(step("A"))
        world.store.say("r1", 1, attempt=0, line="not yet mine")
        world.claimed()
        world.store.say("r1", 1, attempt=2, line="not mine")
        world.settle()
        world.store.say("r1", 1, attempt=1, line="too late")
        assert world.store.steps("r1")[0].line == ""
        assert "said" not in world.kinds()


class TestSettling:
    def test_an_effect_is_committed_and_waits_for_a_decision(self, world: World) -> None:
        world.submit(step("A"), step("B"))
        world.claimed()
        settling = world.settle()
        assert (settling.verdict, settling.undecided) == (SettleVerdict.SETTLED, 1)
        assert world.store.results("r1", [1, 2]) == {1: StepResult("a", {"n": 1}, {"file.txt": ("abc", 3)})}
        assert world.store.steps("r1")[0].status is StepStatus.DONE
        position = world.store.position("r1")
        assert [settled.seq for settled in position.settled] == [1]
        assert position.settled[0].digest == "d1"
        entry = world.store.ledger("r1")[-1]
        kept = digest(result_json(StepResult("a", {"n": 1}, {"file.txt": ("abc", 3)})))
        told = {"attempt": 1, "namespace": "a", "digest": "d1", "sha256": kept}
        assert (entry.kind, entry.detail) == ("step_done", told)

    def test_an_effect_is_committed_once(self, world: World) -> None:
        world.submit(step("A"), step("B"))
        world.claimed()
        first = world.settle()
        assert world.settle() == first
        assert world.settle(status=SettledAs.FAILED).verdict in (SettleVerdict.FENCED, SettleVerdict.SETTLED)
        assert world.kinds().count("step_done") == 1
        assert world.store.steps("r1")[0].status is StepStatus.DONE

    def test_a_stale_attempt_cannot_commit(self, world: World) -> None:
        world.submit(step("A"))
        world.claimed(lease_s=A_LEASE)
        world.let_pass(A_LEASE * 1.2)
        world.store.requeue_expired("r1", 1, takeovers=3)
        assert world.settle(attempt=1).verdict is SettleVerdict.FENCED
        world.claimed()
        assert world.settle(attempt=1).verdict is SettleVerdict.FENCED
        assert world.store.results("r1", [1]) == {}
        assert world.settle(attempt=2).verdict is SettleVerdict.SETTLED

    def test_a_commit_after_the_lease_ran_out_counts_while_nobody_took_over(self, world: World) -> None:
        world.submit(step("A"))
        world.claimed(lease_s=A_LEASE)
        world.let_pass(A_LEASE * 1.2)
        assert world.settle().verdict is SettleVerdict.SETTLED
        assert world.due().leases == ()

    def test_an_unclaimed_step_cannot_be_committed(self, world: World) -> None:
        world.submit(step("A"))
        assert world.settle(attempt=0).verdict is SettleVerdict.FENCED
        assert world.settle(attempt=1).verdict is SettleVerdict.FENCED

    def test_a_failure_is_an_effect_with_its_reason(self, world: World) -> None:
        world.submit(step("A"))
        world.claimed()
        world.settle(status=SettledAs.FAILED, reason="out of paper")
        assert (world.store.steps("r1")[0].status, world.store.steps("r1")[0].error) == (
            StepStatus.FAILED,
            "out of paper",
        )
        assert world.store.ledger("r1")[-1].detail["error"] == "out of paper"
        assert world.store.position("r1").settled[0].status is SettledAs.FAILED

    def test_a_decision_that_fits_is_recorded_with_the_effect(self, world: World) -> None:
        plan = world.submit(step("A"), step("B"))
        claim = world.claim()
        assert claim.state

        decision = advance(plan, claim.state, [Settled(1, SettledAs.DONE, "a", "d1")])
        settling = world.settle(decision=decision, version=claim.version)
        assert (settling.verdict, settling.undecided) == (SettleVerdict.DECIDED, 0)
        assert settling.version == world.store.position("r1").version == claim.version + 1
        assert [s.status for s in world.store.steps("r1")] == [StepStatus.DONE, StepStatus.QUEUED]
        assert world.store.position("r1").settled == ()
        assert world.store.run("r1").started == 2

    def test_a_decision_made_at_another_version_is_dropped_but_the_effect_stays(self, world: World) -> None:
        plan = world.submit(step("A"), step("B"))
        claim = world.claim()
        assert claim.state

        decision = advance(plan, claim.state, [Settled(1, SettledAs.DONE, "a", "d1")])
        settling = world.settle(decision=decision, version=claim.version - 1)
        assert (settling.verdict, settling.undecided) == (SettleVerdict.SETTLED, 1)
        assert len(world.store.steps("r1")) == 1
        assert world.store.results("r1", [1])

    def test_half_a_character_in_what_a_crew_gives_does_no_harm(self, world: World) -> None:
        """Models give lone surrogates now and then; JSON can hold them, UTF-8 cannot."""
        plan = world.submit(step("A", on_error="continue"), step("B", conditions=[when("a.text", "x", "!=")]))
        world.claimed()
        world.store.say("r1", 1, attempt=1, line="half \ud83d")
        settled = Settled(1, SettledAs.DONE, "a", "d", {"text": "half \ud83d"})
        settling = world.store.settle("r1", settled, attempt=1, result=StepResult("a", {"text": "half \ud83d"}))
        assert settling.verdict is SettleVerdict.SETTLED
        world.advance(plan)
        assert [s.state for s in world.store.steps("r1")] == ["A", "B"]
        assert world.store.results("r1", [1])[1].output["text"].startswith("half ")

    def test_settlements_are_told_in_the_order_of_their_numbers(self, world: World) -> None:
        world.submit(parallel(*(step(f"S{n}") for n in range(12))))
        for seq in (11, 2, 12, 10, 1):
            world.claimed(seq)
            world.settle(seq)
        assert [settled.seq for settled in world.store.position("r1").settled] == [1, 2, 10, 11, 12]


class TestBackingOff:
    def test_a_step_waits_out_its_back_off(self, world: World) -> None:
        world.submit(step("A"))
        world.claimed()
        assert world.store.back_off("r1", 1, attempt=1, delay_s=A_LEASE, error="overloaded")
        waiting = world.store.steps("r1")[0]
        assert (waiting.status, waiting.failures, waiting.error) == (StepStatus.RETRYING, 1, "overloaded")
        assert waiting.due_ms > 0
        assert world.claim().verdict is ClaimVerdict.HELD
        assert world.due().retries == ()
        assert world.store.requeue_retry("r1", 1) is RequeueVerdict.NOTHING
        world.let_pass(A_LEASE * 1.2)
        assert world.due().retries == (("r1", 1),)
        assert world.store.requeue_retry("r1", 1) is RequeueVerdict.QUEUED
        assert world.store.requeue_retry("r1", 1) is RequeueVerdict.NOTHING
        assert world.due().retries == ()
        claim = world.claim()
        assert (claim.attempt, claim.failures) == (2, 1)

    def test_only_the_owner_may_back_off(self, world: World) -> None:
        world.submit(step("A"))
        world.claimed(lease_s=A_LEASE)
        assert not world.store.back_off("r1", 1, attempt=2, delay_s=1, error="x")
        world.let_pass(A_LEASE * 1.2)
        world.store.requeue_expired("r1", 1, takeovers=3)
        assert not world.store.back_off("r1", 1, attempt=1, delay_s=1, error="x")
        assert world.store.steps("r1")[0].failures == 0

    def test_a_step_that_backs_off_holds_no_lease_and_cannot_be_committed(self, world: World) -> None:
        world.submit(step("A"))
        world.claimed(lease_s=A_LEASE)
        world.store.back_off("r1", 1, attempt=1, delay_s=30, error="x")
        world.let_pass(A_LEASE * 1.2)
        assert world.due().leases == ()
        assert world.settle().verdict is SettleVerdict.FENCED


class TestJoins:
    """Whoever ends the last step that counts down a join is told, so that its worker decides what is next."""

    def test_only_the_last_of_a_wave_is_told(self, world: World) -> None:
        world.submit(parallel(step("A"), step("B"), step("C")), step("AFTER"))
        told = []
        for seq in (2, 3, 1):
            world.claimed(seq)
            told.append(world.settle(seq).joins)
        assert told == [False, False, True]

    def test_one_that_failed_for_good_counts_too(self, world: World) -> None:
        world.submit(parallel(step("A"), step("B")))
        world.claimed(1)
        world.claimed(2)
        assert not world.settle(1, status=SettledAs.FAILED, reason="no").joins
        assert world.settle(2).joins

    def test_one_whose_worker_died_too_often_counts_too(self, world: World) -> None:
        world.submit(parallel(step("A"), step("B")))
        world.claimed(1, lease_s=A_LEASE)
        world.claimed(2)
        world.let_pass(A_LEASE * 1.2)
        assert world.store.requeue_expired("r1", 1, takeovers=0) is RequeueVerdict.DEAD
        assert world.settle(2).joins

    def test_a_step_that_was_sent_again_counts_once(self, world: World) -> None:
        world.submit(parallel(step("A"), step("B")))
        world.claimed(1, lease_s=A_LEASE)
        world.let_pass(A_LEASE * 1.2)
        assert world.store.requeue_expired("r1", 1, takeovers=3) is RequeueVerdict.QUEUED
        assert world.claimed(1) == 2
        assert not world.settle(1, attempt=2).joins
        world.claimed(2)
        assert world.settle(2).joins

    def test_a_caller_who_missed_the_answer_is_told_the_same(self, world: World) -> None:
        world.submit(parallel(step("A"), step("B")))
        for seq, joins in ((1, False), (2, True)):
            world.claimed(seq)
            assert world.settle(seq).joins is joins
            assert world.settle(seq).joins is joins

    def test_a_step_with_something_after_it_joins_nothing(self, world: World) -> None:
        world.submit(step("A"), step("B"))
        world.claimed(1)
        assert not world.settle(1).joins

    def test_what_a_step_is_given_cannot_be_taken_for_its_join(self, world: World) -> None:
        world.submit(step("A", with_={"join": 7, "text": '"join":8'}), step("B"))
        assert world.claim(1).state is not None
        assert not world.settle(1).joins

    def test_a_step_that_only_counts_down_gets_no_position(self, world: World) -> None:
        world.submit(parallel(step("A"), step("B")))
        assert world.claim(1).state is None


class TestHandingBack:
    def test_a_step_that_is_handed_back_waits_for_the_next_worker(self, world: World) -> None:
        world.submit(step("A"))
        first = world.claimed(worker="leaving")
        assert world.store.hand_back("r1", 1, attempt=first) is RequeueVerdict.QUEUED
        entry = world.store.ledger("r1")[-1]
        assert (entry.kind, entry.detail["handed_back"]) == ("lease_expired", True)
        assert world.claimed(worker="next") == first + 1

    def test_a_stale_attempt_hands_nothing_back(self, world: World) -> None:
        world.submit(step("A"))
        first = world.claimed()
        world.store.hand_back("r1", 1, attempt=first)
        world.claimed()
        assert world.store.hand_back("r1", 1, attempt=first) is RequeueVerdict.NOTHING

    def test_a_step_of_a_stopped_run_is_cancelled_instead(self, world: World) -> None:
        world.submit(step("A"))
        first = world.claimed()
        world.store.withdraw("r1", outcome=Outcome.CANCELLED, reason="enough")
        assert world.store.hand_back("r1", 1, attempt=first) is RequeueVerdict.DEAD
        assert world.store.steps("r1")[0].status is StepStatus.CANCELLED
