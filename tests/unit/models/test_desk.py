"""What an agent's answer, and each way of not answering, becomes."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import Field

from tests.unit.models.desks import KEY, DeskContext, MemoryBook, Verdict, desk_at, prompt_file
from tests.unit.models.fault_server import Behaviour, drips, fails, floods, hangs, hangs_up, raw, says, serving
from zts_core.crew import Assignment
from zts_core.errors import BudgetExceeded, PermanentError, ServiceUnavailable, StepAbandoned, TransientError
from zts_core.ports import Cost, Reservation, ReserveVerdict
from zts_core.pricing.prices import Prices

GOOD = {"word": "fine", "points": 7}


@pytest.fixture
def assignment(tmp_path: Path) -> Assignment[Verdict]:
    return Assignment(prompt_file(tmp_path), Verdict, {"Idea": "A log for bee hives."})


def test_a_good_answer_is_given_and_booked_with_the_tokens_the_provider_counted(
    assignment: Assignment[Verdict],
) -> None:
    book = MemoryBook()
    with serving(says(GOOD, read=110, wrote=9)) as server:
        answer = desk_at(server.url, book=book).ask(assignment)
    assert answer == Verdict(word="fine", points=7)
    ((call, most),) = book.reserved
    ((settled, cost, detail),) = book.settled
    assert (call, settled, cost.tokens) == ("1:1:1", "1:1:1", 119)
    assert most.tokens > 256
    assert (detail["model"], detail["prompt"], detail["tokens"]) == ("custom:test-model", "tester/judge", 119)
    assert detail["answered"] == json.dumps(GOOD)
    assert "bee hives" in detail["asked"]
    assert len(detail["prompt_digest"]) == 16


def test_the_agent_sees_its_role_what_it_may_read_and_the_shape_to_fill(assignment: Assignment[Verdict]) -> None:
    with serving(says(GOOD)) as server:
        desk_at(server.url).ask(assignment)
    (asked,) = server.asked
    assert asked["messages"][0]["content"] == "You are a judge. Judge the idea."
    assert "# Idea\n\nA log for bee hives." in asked["messages"][1]["content"]
    assert asked["response_format"]["type"] == "json_schema"
    assert asked["max_completion_tokens"] == 256


def test_the_answer_is_asked_for_in_plain_bytes(assignment: Assignment[Verdict]) -> None:
    with serving(says(GOOD)) as server:
        desk_at(server.url).ask(assignment)
    assert server.headers_seen[0]["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    "nonsense", ["no JSON at all", '{"word": "fine"}', '{"word": "fine", "points": 99}', "[]", "", '{"word": "fi']
)
def test_an_invalid_answer_is_repaired_and_each_repair_is_paid_for(
    assignment: Assignment[Verdict], nonsense: str
) -> None:
    book = MemoryBook()
    with serving(says(nonsense), says(GOOD)) as server:
        assert desk_at(server.url, book=book).ask(assignment).points == 7
    assert [call for call, _ in book.reserved] == ["1:1:1", "1:1:2"]
    assert len(book.settled) == 2


def test_nonsense_without_end_is_a_permanent_error_after_a_bounded_number_of_repairs(
    assignment: Assignment[Verdict],
) -> None:
    with serving(says("no")) as server, pytest.raises(PermanentError, match="no valid answer"):
        desk_at(server.url, repairs=2).ask(assignment)
    assert len(server.asked) == 3


def test_what_the_crew_finds_wrong_is_told_to_the_agent(tmp_path: Path) -> None:
    def check(answer: Verdict) -> None:
        if answer.points < 5:
            raise ValueError("points below 5 need a reason")

    assignment = Assignment(prompt_file(tmp_path), Verdict, {}, check)
    with serving(says({"word": "x", "points": 1}), says(GOOD)) as server:
        assert desk_at(server.url).ask(assignment).points == 7
    assert "points below 5 need a reason" in json.dumps(server.asked[1])


def test_too_many_requests_is_transient_and_the_wait_asked_for_is_kept(assignment: Assignment[Verdict]) -> None:
    book = MemoryBook()
    with serving(fails(429, retry_after="17")) as server, pytest.raises(TransientError) as raised:
        desk_at(server.url, book=book).ask(assignment)
    assert raised.value.retry_after == 17
    assert len(server.asked) == 1, "a retry inside a package would be unpaid"
    assert [cost for _, cost, _ in book.settled] == [Cost()]
    assert "sk-abcdef" not in str(raised.value)


@pytest.mark.parametrize("status", [500, 502, 503, 529])
def test_overload_and_server_errors_are_transient(assignment: Assignment[Verdict], status: int) -> None:
    with serving(fails(status)) as server, pytest.raises(TransientError):
        desk_at(server.url).ask(assignment)


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        (fails(401), "key"),
        (fails(404), "refuses the request"),
        (fails(400), "refuses the request"),
        (fails(429, code="insufficient_quota"), "refuses"),
        (says("", finish_reason="content_filter"), "refuses"),
        (says("", refusal="I will not."), "refuses"),
        (raw(b"<html>this is a login page</html>"), "no valid answer"),
        (raw(b"{}"), "no valid answer"),
        (raw(b'{"choices": 12}'), "no valid answer"),
    ],
)
def test_refusals_and_what_is_no_answer_are_permanent(
    assignment: Assignment[Verdict], behaviour: Behaviour, said: str
) -> None:
    with serving(behaviour) as server, pytest.raises(PermanentError, match=said):
        desk_at(server.url).ask(assignment)


@pytest.mark.parametrize("behaviour", [hangs, drips])
def test_a_server_that_hangs_is_left_at_the_time_out_and_may_have_charged(
    assignment: Assignment[Verdict], behaviour: Behaviour
) -> None:
    book = MemoryBook()
    with serving(behaviour) as server, pytest.raises(TransientError, match="in time"):
        desk_at(server.url, book=book, timeout_s=0.3).ask(assignment)
    assert book.settled[0][1] == book.reserved[0][1]


def test_a_server_that_hangs_up_is_transient(assignment: Assignment[Verdict]) -> None:
    with serving(hangs_up) as server, pytest.raises(TransientError):
        desk_at(server.url).ask(assignment)


def test_a_server_that_is_not_there_is_transient_and_costs_nothing(assignment: Assignment[Verdict]) -> None:
    book = MemoryBook()
    with pytest.raises(TransientError):
        desk_at("http://127.0.0.1:9/v1", book=book).ask(assignment)
    assert book.settled[0][1] == Cost()


def test_an_answer_without_end_is_refused_while_it_is_read(assignment: Assignment[Verdict]) -> None:
    with serving(floods) as server, pytest.raises(PermanentError, match="more than 100000 bytes"):
        desk_at(server.url, answer_bytes=100_000).ask(assignment)


def test_a_packed_answer_is_refused_unread(assignment: Assignment[Verdict]) -> None:
    with serving(raw(b"\x1f\x8b", content_encoding="gzip")) as server, pytest.raises(PermanentError, match="packed"):
        desk_at(server.url).ask(assignment)


def test_a_call_that_would_pass_the_budget_is_not_made(assignment: Assignment[Verdict]) -> None:
    book = MemoryBook(verdicts=[Reservation(ReserveVerdict.OVER_BUDGET, used="$0.9 of $1")])
    with (
        serving(says(GOOD)) as server,
        pytest.raises(BudgetExceeded, match=r"the run has used.*--budget-usd"),
    ):
        desk_at(server.url, book=book).ask(assignment)
    assert server.asked == []


def test_a_budget_in_dollars_needs_a_price(assignment: Assignment[Verdict], tmp_path: Path) -> None:
    book = MemoryBook(budget_usd=1.0)
    with serving(says(GOOD, read=1000, wrote=100)) as server:
        with pytest.raises(PermanentError, match=r"no known price.*ZTS_PRICES"):
            desk_at(server.url, book=book).ask(assignment)
        assert server.asked == []
        (tmp_path / "prices.json").write_text('{"custom:test-model": {"input": 2, "output": 10}}', "utf-8")
        desk_at(server.url, book=book, prices=Prices(tmp_path / "prices.json")).ask(assignment)
    assert book.settled[0][1].usd == pytest.approx(0.003)


def test_an_attempt_that_lost_its_step_calls_nobody(assignment: Assignment[Verdict]) -> None:
    book = MemoryBook(verdicts=[Reservation(ReserveVerdict.FENCED)])
    with serving(says(GOOD)) as server, pytest.raises(StepAbandoned):
        desk_at(server.url, book=book).ask(assignment)
    assert server.asked == []


def test_a_short_wait_for_the_pace_is_waited_and_a_long_one_frees_the_worker(assignment: Assignment[Verdict]) -> None:
    short, long = Reservation(ReserveVerdict.WAIT, wait_s=0.01), Reservation(ReserveVerdict.WAIT, wait_s=600.0)
    with serving(says(GOOD)) as server:
        assert desk_at(server.url, book=MemoryBook(verdicts=[short])).ask(assignment).points == 7
        with pytest.raises(TransientError) as raised:
            desk_at(server.url, book=MemoryBook(verdicts=[long])).ask(assignment)
    assert raised.value.retry_after == 600


def test_a_cancel_ends_a_call_under_way(assignment: Assignment[Verdict]) -> None:
    context = DeskContext()
    with serving(hangs) as server:

        def cancel() -> None:
            while not server.asked:
                time.sleep(0.01)
            context.cancelled = True

        thread = threading.Thread(target=cancel)
        thread.start()
        with pytest.raises(StepAbandoned):
            desk_at(server.url, context=context, timeout_s=20).ask(assignment)
        thread.join()


def test_a_repeated_attempt_pays_no_second_time_for_an_answer_that_was_right(
    assignment: Assignment[Verdict],
) -> None:
    book = MemoryBook()
    with serving(says(GOOD)) as server:
        first = desk_at(server.url, book=book).ask(assignment)
        again = desk_at(server.url, book=book, context=DeskContext(attempt=2)).ask(assignment)
    assert (first, len(server.asked)) == (again, 1)


def test_an_answer_that_is_paid_for_outlives_an_outage_of_the_store(assignment: Assignment[Verdict]) -> None:
    class Away(MemoryBook):
        outages = 2

        def settle(self, *args: Any, **named: Any) -> bool:
            self.outages -= 1
            if self.outages >= 0:
                raise ServiceUnavailable("Redis is away")
            return super().settle(*args, **named)

    book = Away()
    with serving(says(GOOD)) as server:
        assert desk_at(server.url, book=book).ask(assignment).points == 7
    assert (len(server.asked), len(book.settled)) == (1, 1)


def test_a_kept_answer_that_no_longer_fits_is_asked_again(assignment: Assignment[Verdict]) -> None:
    book = MemoryBook()
    with serving(says(GOOD)) as server:
        desk_at(server.url, book=book).ask(assignment)
        book.answers = dict.fromkeys(book.answers, '{"word": 1}')
        assert desk_at(server.url, book=book, context=DeskContext(attempt=2)).ask(assignment).points == 7
    assert len(server.asked) == 2


def test_a_run_that_reuses_answers_pays_nothing_and_says_so(assignment: Assignment[Verdict]) -> None:
    book = MemoryBook()
    with serving(says("nonsense"), says(GOOD)) as server:
        first = desk_at(server.url, book=book).ask(assignment)
        book.reuse_answers = True
        assert desk_at(server.url, book=book).ask(assignment) == first
    assert (len(server.asked), len(book.settled)) == (2, 2)
    assert [(detail["reused"], detail["usd"], detail["tokens"]) for _, detail in book.reused] == [(True, 0.0, 0)] * 2
    assert book.reused[0][1]["answered"] == "nonsense"


@pytest.mark.parametrize("other", ["prompt", "idea", "model", "answer", "settings", "server"])
def test_answers_are_never_mixed_between_different_requests(tmp_path: Path, other: str) -> None:
    class Other(Verdict):
        more: Annotated[str, Field(max_length=9)] = ""

    book = MemoryBook(reuse_answers=True)
    with serving(says(GOOD)) as server:
        desk_at(server.url, book=book).ask(Assignment(prompt_file(tmp_path), Verdict, {"Idea": "hives"}))
        desk = desk_at(f"{server.url}{'/' if other == 'server' else ''}", book=book)
        desk._terms = replace(
            desk._terms,
            choice=replace(desk._terms.choice, model="bigger") if other == "model" else desk._terms.choice,
            max_tokens=512 if other == "settings" else desk._terms.max_tokens,
        )
        prompt = prompt_file(tmp_path, "You are a baker.") if other == "prompt" else prompt_file(tmp_path)
        given = {"Idea": "bread" if other == "idea" else "hives"}
        desk.ask(Assignment(prompt, Other if other == "answer" else Verdict, given))
    assert (len(server.asked), book.reused) == (2, [])


def test_a_talk_that_led_nowhere_is_not_reused(assignment: Assignment[Verdict]) -> None:
    book = MemoryBook(reuse_answers=True)
    with serving(says("no"), says("no"), says("no"), says(GOOD)) as server:
        with pytest.raises(PermanentError):
            desk_at(server.url, book=book, repairs=2).ask(assignment)
        assert book.answers == {}
        assert desk_at(server.url, book=book).ask(assignment).points == 7


def test_a_refusal_takes_no_answer_away_that_others_were_given(assignment: Assignment[Verdict]) -> None:
    book = MemoryBook()
    with serving(says(GOOD), fails(401)) as server:
        desk_at(server.url, book=book).ask(assignment)
        with pytest.raises(PermanentError):
            desk_at(server.url, book=book).ask(assignment)
    assert len(book.answers) == 1


def test_what_a_talk_was_answered_before_it_broke_off_is_reused_by_the_next_attempt(
    assignment: Assignment[Verdict],
) -> None:
    book = MemoryBook()
    with serving(says("nonsense"), fails(503), says(GOOD)) as server:
        with pytest.raises(TransientError):
            desk_at(server.url, book=book).ask(assignment)
        assert desk_at(server.url, book=book, context=DeskContext(attempt=2)).ask(assignment).points == 7
    assert (len(server.asked), len(book.reused)) == (3, 1)


def test_no_secret_is_written_down_or_said(tmp_path: Path) -> None:
    given = {"Idea": f"call ada@example.org, key {KEY}, sk-proj-1234567890abcdefgh, redis://me:pass@host"}
    book = MemoryBook()
    with serving(says({"word": f"{KEY}", "points": 1})) as server:
        desk_at(server.url, book=book).ask(Assignment(prompt_file(tmp_path), Verdict, given))
        assert server.headers_seen[0]["authorization"] == f"Bearer {KEY}"
    text = json.dumps(book.settled[0][2])
    for secret in (KEY, "ada@example.org", "sk-proj", "me:pass"):
        assert secret not in text
    with serving(raw(json.dumps({"error": {"message": KEY}}).encode())) as server, pytest.raises(PermanentError) as e:
        desk_at(server.url).ask(Assignment(prompt_file(tmp_path), Verdict, {}))
    assert KEY not in str(e.value)


@pytest.mark.parametrize(("most", "expected"), [(0, ""), (10, "What follo…")])
def test_what_is_written_down_is_limited_and_can_be_switched_off(
    assignment: Assignment[Verdict], most: int, expected: str
) -> None:
    book = MemoryBook()
    with serving(says(GOOD)) as server:
        desk_at(server.url, book=book, record_bytes=most).ask(assignment)
    assert book.settled[0][2]["asked"] == expected


def test_a_users_prompt_takes_the_place_of_the_shipped_one_and_changes_the_digest(
    assignment: Assignment[Verdict], tmp_path: Path
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    prompt_file(own, "You are somebody else.")
    digests: list[Any] = []
    for prompts in (None, own):
        book = MemoryBook()
        with serving(says(GOOD)) as server:
            desk_at(server.url, book=book, prompts=prompts).ask(assignment)
        digests.append(book.settled[0][2]["prompt_digest"])
    assert server.asked[0]["messages"][0]["content"] == "You are somebody else."
    assert digests[0] != digests[1]
