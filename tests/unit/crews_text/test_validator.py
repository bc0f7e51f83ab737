from __future__ import annotations

from pathlib import Path

import pytest

from zts_core.likeness import SeenBefore
from zts_worker.crews.validator import ValidatorCrew
from zts_worker.crews.validator_rubric import RUBRIC

from .context import FakeContext
from .ideas import FOREIGN, ILLEGAL, SAMPLES, UNREADABLE, example_texts

MIDDLING = (
    "Restaurants throw away food. Volunteers pick up leftover meals and deliver them to shelters. Each pickup has an "
    "address, a time window and a number of portions."
)
GOOD_WITHOUT_MONEY = (
    "Our choir loses track of who comes: at 3 of 10 rehearsals the tenors are missing. Singers confirm rehearsals and "
    "read the list of songs. Each rehearsal has a date, a place and a note. Each song has a title and a composer. "
    "The conductor adds songs and sends reminders. Today we use a WhatsApp group, but messages scroll away."
)


def test_an_idea_seen_before_is_pointed_to_and_judged_all_the_same(tmp_path: Path) -> None:
    seen = SeenBefore("r1", 0.92, "completed", "Bee hive log")
    text = example_texts()["invoice_reminder"]
    again = ValidatorCrew().run(FakeContext(text, tmp_path, seen_before=[seen]))
    assert again.seen_before == ["Run r1 (completed, 92% alike): Bee hive log"]
    assert again.model_copy(update={"seen_before": []}) == _judge(text, tmp_path)


def _judge(text: str, folder: Path) -> ValidatorCrew.Output:
    return ValidatorCrew().run(FakeContext(text, folder))


@pytest.mark.parametrize("name", sorted(example_texts()))
def test_each_example_idea_passes_the_default_gates(name: str, tmp_path: Path) -> None:
    output = _judge(example_texts()[name], tmp_path)
    assert output.confidence > 0.9
    assert output.is_technically_feasible
    assert output.passed
    assert output.recommendation == "go"


def test_the_invoice_reminder_passes_the_enterprise_gates(tmp_path: Path) -> None:
    output = _judge(example_texts()["invoice_reminder"], tmp_path)
    assert output.confidence > 0.9
    assert output.compliance_ready
    assert output.security_approved


def test_the_weights_of_the_rubric_add_up_to_one_and_the_confidence_is_their_sum(tmp_path: Path) -> None:
    assert sum(weight for _, weight, _ in RUBRIC) == pytest.approx(1.0)
    output = _judge(MIDDLING, tmp_path)
    assert output.confidence == pytest.approx(sum(p.weight * p.score for p in output.rubric), abs=0.001)


def test_every_point_says_why_and_rests_on_a_sentence_of_the_idea(tmp_path: Path) -> None:
    text = example_texts()["bee_hive_log"]
    output = _judge(text, tmp_path)
    for point in output.rubric:
        assert point.reason
        assert point.sentence
        assert point.sentence in " ".join(text.split())


def test_ideas_land_between_the_gates_by_how_much_they_say(tmp_path: Path) -> None:
    one_line = _judge("An app for dog walkers to book walks with owners.", tmp_path).confidence
    middling = _judge(MIDDLING, tmp_path).confidence
    good = _judge(GOOD_WITHOUT_MONEY, tmp_path).confidence
    best = _judge(example_texts()["bee_hive_log"], tmp_path).confidence
    assert 0.3 < one_line <= 0.6 < middling <= 0.7 < good <= 0.9 < best


def test_more_said_is_never_worth_less(tmp_path: Path) -> None:
    steps = (
        MIDDLING,
        " We asked 14 restaurants, and 11 would take part.",
        " Today they phone each other, but nobody answers at night.",
        " It is free for shelters and costs restaurants 10 euros a month.",
        " The first version covers one town, without routes.",
        " It works if 30 meals a week are picked up.",
    )
    text, scores = "", []
    for step in steps:
        text += step
        scores.append(_judge(text, tmp_path).confidence)
    assert scores == sorted(scores)
    assert scores[-1] - scores[0] > 0.1


def test_different_ideas_score_differently(tmp_path: Path) -> None:
    scores = [_judge(sample.text, tmp_path).confidence for sample in SAMPLES]
    assert len(set(scores)) > len(scores) * 0.6


@pytest.mark.parametrize("text", [*UNREADABLE, "Something with AI that makes money", "An app.", "Make me rich"])
def test_a_hollow_idea_gets_a_low_confidence_and_the_reason(text: str, tmp_path: Path) -> None:
    output = _judge(text, tmp_path)
    assert output.confidence < 0.3
    assert not output.passed
    assert not output.compliance_ready
    assert output.recommendation in ("no_go", "research")
    assert output.reason


@pytest.mark.parametrize("text", ILLEGAL)
def test_an_illegal_idea_is_no_go_however_well_it_is_described(text: str, tmp_path: Path) -> None:
    output = _judge(example_texts()["tool_lending"] + "\n\n" + text, tmp_path)
    assert output.recommendation == "no_go"
    assert not output.passed
    assert output.confidence <= 0.1
    assert not output.security_approved
    assert output.unlawful


@pytest.mark.parametrize(
    "wish",
    ["It runs on perpetual motion.", "It predicts lottery numbers.", "The machine reads your thoughts.",
     "It forecasts the stock market with 100 percent accuracy."],
)  # fmt: skip
def test_what_cannot_be_built_is_not_feasible(wish: str, tmp_path: Path) -> None:
    output = _judge(f"{GOOD_WITHOUT_MONEY} {wish}", tmp_path)
    assert not output.is_technically_feasible
    assert output.recommendation == "no_go"
    feasibility = next(point for point in output.rubric if point.name == "feasibility")
    assert wish.rstrip(".") in feasibility.sentence


@pytest.mark.parametrize("language", sorted(FOREIGN))
def test_an_idea_in_another_language_is_not_passed_and_told_why(language: str, tmp_path: Path) -> None:
    output = _judge(FOREIGN[language], tmp_path)
    assert not output.passed
    assert output.language == language
    assert output.confidence <= 0.55
    assert "only English is read in full" in output.reason


def test_health_data_without_a_promise_is_neither_compliant_nor_secure(tmp_path: Path) -> None:
    careless = "Clinics lose patients. Each patient has a name and a diagnosis. Nurses record patients on a website."
    careful = careless + " Patients give consent, can delete their data, it is encrypted, and staff sign in."
    before, after = _judge(careless, tmp_path), _judge(careful, tmp_path)
    assert (before.compliance_ready, before.security_approved) == (False, False)
    assert (after.compliance_ready, after.security_approved) == (True, True)
    assert before.missing_for_compliance
    assert any(risk.severity == "high" for risk in before.risks)


def test_a_thing_that_is_denied_asks_for_no_care(tmp_path: Path) -> None:
    text = "Each plant has a species. Gardeners log waterings. There is no account, no GPS and no payments."
    assert _judge(text, tmp_path).compliance_ready


def test_the_scope_holds_what_the_text_names_and_what_it_leaves_out(tmp_path: Path) -> None:
    scope = _judge(example_texts()["bee_hive_log"], tmp_path).mvp_scope
    assert any("hive" in line for line in scope.included)
    assert any("No shop, no forum" in line for line in scope.left_out)
