"""What every RunStore must do for a worker that goes on by itself: the next step is taken with the commit, once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.contracts.store_worlds import World
from tests.unit.heart.playing import parallel, plan_of, step
from zts_core.advance import advance
from zts_core.decision import Decision
from zts_core.ports import Claim, Claimant, ClaimVerdict, NewRun, RequeueVerdict, SettleVerdict, Settling, Waits
from zts_core.run import Outcome, RunState, Settled, SettledAs
from zts_core.workflow.plan import Plan

ME = Claimant("w", 30.0, "call-1")
A_WHILE = 0.03


def begin(world: World, *nodes: dict[str, Any], **new: Any) -> tuple[Plan, Claim]:
    """A run whose first step is at work."""
    plan = world.submit(*nodes, **new)
    return plan, world.claim(1)


def kept(plan: Plan, claim: Claim) -> Decision:
    """What follows from the first step, with the first of it kept by who decides."""
    assert claim.state
    return replace(advance(plan, claim.state, [Settled(1, SettledAs.DONE, "a", "d1", {})]), keeps=True)


def commit(world: World, plan: Plan, claim: Claim, *, by: Claimant = ME) -> Settling:
    return world.settle(1, decision=kept(plan, claim), version=claim.version, by=by)


class TestTakenWithTheCommit:
    def test_the_next_step_is_taken_as_a_claim_would_take_it(self, world: World) -> None:
        plan, claim = begin(world, step("A"), step("B"), values={"colour": "green"})
        answer = commit(world, plan, claim)
        assert answer.verdict is SettleVerdict.DECIDED
        assert answer.taken
        taken = answer.taken.claim
        assert (answer.taken.seq, taken.verdict, taken.attempt, taken.failures) == (2, ClaimVerdict.CLAIMED, 1, 0)
        assert (taken.version, taken.state) == (answer.version, world.store.position("r1").state)
        assert (taken.step["state"], taken.values, taken.plan_digest) == ("B", {"colour": "green"}, claim.plan_digest)
        assert world.claim(2).verdict is ClaimVerdict.HELD

    def test_the_ledger_tells_of_it_like_of_any_other(self, world: World) -> None:
        plan, claim = begin(world, step("A"), step("B"))
        commit(world, plan, claim)
        assert world.kinds()[-3:] == ["step_done", "wave", "attempt_started"]
        assert world.store.ledger("r1")[-1].detail == {"attempt": 1, "worker": "w"}

    def test_it_is_committed_and_decided_on_in_its_turn(self, world: World) -> None:
        plan, claim = begin(world, step("A"), step("B"))
        taken = commit(world, plan, claim).taken
        assert taken
        assert taken.claim.state
        found = advance(plan, taken.claim.state, [Settled(2, SettledAs.DONE, "a", "d2", {})])
        ended = world.settle(2, decision=found, version=taken.claim.version)
        assert (ended.verdict, ended.taken) == (SettleVerdict.DECIDED, None)
        assert world.store.run("r1").outcome is Outcome.COMPLETED

    def test_others_of_its_wave_wait_for_other_workers(self, world: World) -> None:
        plan, claim = begin(world, step("A"), parallel(step("B"), step("C"), step("D")))
        answer = commit(world, plan, claim)
        assert answer.taken
        assert answer.taken.seq == 2
        world.let_pass(A_WHILE)
        assert world.due(unclaimed_after_s=0).unclaimed == (("r1", 3), ("r1", 4))

    def test_it_does_not_count_in_the_window_of_its_wave(self, world: World) -> None:
        plan, claim = begin(world, step("A"), parallel(*(step(state) for state in "BCDE")))
        decision = replace(kept(plan, claim), window=2)
        world.settle(1, decision=decision, version=claim.version, by=ME)
        assert [record.seq for record in world.store.steps("r1") if record.waits is Waits.TURN] == [5]

    def test_who_asks_for_nothing_takes_nothing(self, world: World) -> None:
        plan, claim = begin(world, step("A"), step("B"))
        decision = replace(kept(plan, claim), keeps=False)
        assert world.settle(1, decision=decision, version=claim.version).taken is None
        assert world.claim(2).verdict is ClaimVerdict.CLAIMED

    def test_where_the_run_has_moved_nothing_is_taken(self, world: World) -> None:
        plan, claim = begin(world, step("A"), step("B"))
        answer = world.settle(1, decision=kept(plan, claim), version=claim.version + 1, by=ME)
        assert (answer.verdict, answer.taken) == (SettleVerdict.SETTLED, None)
        assert len(world.store.steps("r1")) == 1


class TestWhatCanGoWrong:
    def test_a_commit_whose_answer_was_lost_gives_the_same_step_again(self, world: World) -> None:
        plan, claim = begin(world, step("A"), step("B"))
        first, again = commit(world, plan, claim), commit(world, plan, claim)
        assert first.taken
        assert again.taken == first.taken
        assert world.kinds().count("attempt_started") == 2

    def test_once_another_worker_has_it_the_lost_answer_gives_nothing(self, world: World) -> None:
        plan, claim = begin(world, step("A"), step("B"))
        commit(world, plan, claim, by=replace(ME, lease_s=A_WHILE))
        world.let_pass(A_WHILE * 1.2)
        assert world.store.requeue_expired("r1", 2, takeovers=3) is RequeueVerdict.QUEUED
        assert world.claimed(2, worker="other") == 2
        assert commit(world, plan, claim).taken is None

    def test_who_takes_it_and_dies_loses_it_to_another(self, world: World) -> None:
        plan, claim = begin(world, step("A"), step("B"))
        commit(world, plan, claim, by=replace(ME, lease_s=A_WHILE))
        world.let_pass(A_WHILE * 1.2)
        assert world.due().leases == (("r1", 2),)
        assert world.store.requeue_expired("r1", 2, takeovers=3) is RequeueVerdict.QUEUED

    def test_a_paused_run_keeps_it_for_the_resume(self, world: World) -> None:
        plan, claim = begin(world, step("A"), step("B"))
        world.store.pause("r1", paused=True)
        answer = commit(world, plan, claim)
        assert answer.taken
        assert answer.taken.claim.verdict is ClaimVerdict.PAUSED
        world.store.pause("r1", paused=False)
        world.let_pass(A_WHILE)
        assert world.due(unclaimed_after_s=0).unclaimed == (("r1", 2),)

    def test_a_run_that_is_stopped_begins_nothing_more(self, world: World) -> None:
        plan, claim = begin(world, step("A"), step("B"))
        world.store.withdraw("r1", outcome=Outcome.CANCELLED, reason="enough")
        answer = commit(world, plan, claim)
        assert (answer.verdict, answer.taken) == (SettleVerdict.SETTLED, None)
        assert world.kinds().count("attempt_started") == 1

    def test_a_crew_at_its_limit_makes_it_wait_for_a_slot(self, world: World) -> None:
        few = {"b": 1}
        world.submit(step("B"), run_id="other")
        world.claimed(1, run_id="other", limits=few)
        plan = world.submit(step("A"), step("B"))
        claim = world.claim(1, limits={"b": 0})
        answer = commit(world, plan, claim, by=replace(ME, limits=few))
        assert answer.taken
        assert answer.taken.claim.verdict is ClaimVerdict.FULL
        assert world.store.steps("r1")[1].waits is Waits.SLOT


class TestALine:
    """A wide wave of whose steps most wait to be sent: who ends one goes on with the next."""

    def wide(self, world: World, *, window: int = 2) -> None:
        plan = plan_of(parallel(*(step(state) for state in "ABCDEF")), step("Z"))
        decision = replace(advance(plan, RunState(max_steps=50)), window=window)
        world.store.create(NewRun("r1", "an idea", "a title", "main", 50, 60), plan, decision)

    def waiting(self, world: World) -> list[int]:
        return [record.seq for record in world.store.steps("r1") if record.waits is Waits.TURN]

    def test_who_ends_one_takes_the_next_out_of_the_line(self, world: World) -> None:
        self.wide(world)
        world.claimed(1)
        assert self.waiting(world) == [4, 5, 6]
        answer = world.settle(1, by=ME)
        assert answer.taken
        assert (answer.taken.seq, answer.taken.claim.attempt) == (4, 1)
        assert self.waiting(world) == [5, 6]

    def test_what_was_taken_so_lets_nobody_else_into_the_broker(self, world: World) -> None:
        self.wide(world)
        world.claimed(1)
        answer = world.settle(1, by=ME)
        assert answer.taken
        assert answer.taken.claim.following == 0
        assert world.claim(2).following == 5

    def test_an_empty_line_gives_nothing(self, world: World) -> None:
        self.wide(world, window=6)
        world.claimed(1)
        assert world.settle(1, by=ME).taken is None

    def test_the_last_one_leaves_what_follows_to_its_worker(self, world: World) -> None:
        self.wide(world, window=6)
        for seq in range(1, 6):
            world.claimed(seq)
            assert not world.settle(seq, by=ME).joins
        world.claimed(6)
        answer = world.settle(6, by=ME)
        assert (answer.joins, answer.taken) == (True, None)

    def test_a_commit_whose_answer_was_lost_gives_the_same_one_again(self, world: World) -> None:
        self.wide(world)
        world.claimed(1)
        first, again = world.settle(1, by=ME), world.settle(1, by=ME)
        assert first.taken
        assert again.taken == first.taken
        assert self.waiting(world) == [5, 6]
