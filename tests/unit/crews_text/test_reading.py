from __future__ import annotations

import keyword
import re
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zts_worker.crews.reading import IdeaReading, read_idea

from .ideas import AGAINST_CRIME, FOREIGN, ILLEGAL, LABELLED, MARKDOWN, SAMPLES, UNREADABLE, Sample, example_texts

IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,59}")


def _names(reading: IdeaReading) -> set[str]:
    return {entity.name for entity in reading.entities}


def _assert_sound(reading: IdeaReading) -> None:
    """What every crew relies on, whatever the text."""
    names = [entity.name for entity in reading.entities]
    assert len(names) <= 6
    assert len(set(names)) == len(names)
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", reading.slug)
    assert len(reading.slug) <= 48
    for entity in reading.entities:
        assert IDENTIFIER.fullmatch(entity.name)
        assert IDENTIFIER.fullmatch(entity.plural)
        assert entity.plural != entity.name
        assert set(entity.belongs_to) <= set(names) - {entity.name}
        attributes = [attribute.name for attribute in entity.attributes]
        assert attributes
        assert len(set(attributes)) == len(attributes)
        assert all(IDENTIFIER.fullmatch(name) and not keyword.iskeyword(name) for name in attributes)
    assert all(action.entity is None or action.entity in names for action in reading.actions)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_the_entities_are_the_ideas_own_nouns(sample: Sample) -> None:
    reading = read_idea(sample.text)
    _assert_sound(reading)
    assert sample.things <= _names(reading)
    assert not _names(reading) & sample.never
    assert all(entity.sentence in reading.sentences for entity in reading.entities)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_the_kind_of_product_is_told_by_its_words(sample: Sample) -> None:
    assert read_idea(sample.text).kind == sample.kind


def test_attributes_and_their_kinds_come_from_the_text() -> None:
    reading = read_idea(
        "Each book has a title, a price, a number of pages, a weight in grams, a due date, a photo link, a contact "
        "email, a description and whether it was returned."
    )
    kinds = {attribute.name: attribute.kind for attribute in reading.entities[0].attributes}
    assert kinds == {
        "title": "text",
        "price": "money",
        "page_count": "integer",
        "weight": "number",
        "due_date": "date",
        "photo_link": "url",
        "contact_email": "email",
        "description": "long_text",
    }, "the first eight; more would make a form that nobody fills in"


def test_a_question_of_whether_becomes_a_flag() -> None:
    loan = read_idea("Each loan records the due date and whether the tool was returned.").entities[0]
    assert ("returned", "flag") in {(attribute.name, attribute.kind) for attribute in loan.attributes}


def test_fields_of_people_are_personal_and_those_of_things_are_not() -> None:
    reading = read_idea("Each patient has a name, a phone number and a birthday. Each bed has a name and a floor.")
    personal = {(e.name, a.name): a.personal for e in reading.entities for a in e.attributes}
    assert personal[("patient", "name")]
    assert personal[("patient", "phone_number")]
    assert not personal[("bed", "name")]


def test_belonging_is_read_in_three_wordings_and_never_runs_in_a_circle() -> None:
    reading = read_idea(
        "Every invoice belongs to a client. Each client has many invoices. Each client has a name. "
        "Each reminder has a text and an invoice. Each invoice has an amount."
    )
    owners = {entity.name: entity.belongs_to for entity in reading.entities}
    assert owners == {"invoice": ("client",), "client": (), "reminder": ("invoice",)}


def test_lists_and_definitions_in_markdown_are_read() -> None:
    reading = read_idea(
        "# Ski rental\n\nA **web app** for rental shops.\n\n## Data\n\n"
        "- Ski: length, brand, purchase date\n- Rental (start date, end date, deposit)\n\n"
        "```\nEach secret has a key.\n```\n"
    )
    found = {entity.name: {a.name for a in entity.attributes} for entity in reading.entities}
    assert {"length", "brand", "purchase_date"} <= found["ski"]
    assert {"start_date", "end_date", "deposit"} <= found["rental"]
    assert "secret" not in found
    assert reading.title == "Ski rental"


def test_the_sections_of_a_pitch_say_what_their_sentences_are_about() -> None:
    reading = read_idea(MARKDOWN)
    assert reading.title == "Pet Sitter Finder"
    assert reading.problem.startswith("Pet owners struggle")
    assert reading.monetisation == ("15% commission on each booking.",)
    assert {"Rover", "Pawshake"} <= set(reading.alternatives)
    assert {"dog owners", "retirees"} & set(reading.audience)
    assert {"stay", "review"} <= _names(reading)


def test_labels_at_the_start_of_lines_are_sections_too() -> None:
    reading = read_idea(LABELLED)
    assert reading.title == "Crumb"
    assert reading.problem == "Bakers guess how much dough they need."
    assert reading.audience[0] == "home bakers"
    assert reading.monetisation == ("3 euros a month",)
    assert _names(reading) == {"batch"}


def test_the_price_of_the_product_is_no_thing_that_it_keeps() -> None:
    assert "subscription" not in _names(read_idea("Users log runs. Subscription at $5 per month. A running app."))


def test_the_example_ideas_are_read_in_full() -> None:
    for stem, text in example_texts().items():
        reading = read_idea(text)
        _assert_sound(reading)
        assert reading.language == "en", stem
        assert reading.not_judged == (), stem
        assert reading.problem, stem
        assert reading.audience, stem
        assert reading.alternatives, stem
        assert reading.monetisation, stem
        assert reading.numbers, stem
        assert len(reading.entities) >= 3, stem


def test_the_facets_of_an_idea_are_found_in_its_sentences() -> None:
    reading = read_idea(example_texts()["tool_lending"])
    assert reading.title == "Borrow the Drill"
    assert reading.slug == "borrow-the-drill"
    assert reading.audience[0].startswith("neighbours")
    assert "Peerby" in reading.alternatives
    assert reading.integrations == ("Stripe",)
    assert "WhatsApp group" in reading.problem


@pytest.mark.parametrize("text", UNREADABLE, ids=repr)
def test_a_text_without_a_known_word_gives_no_entity_and_says_so(text: str) -> None:
    reading = read_idea(text)
    _assert_sound(reading)
    assert reading.entities == ()
    assert reading.language == "und"
    assert reading.not_judged


@pytest.mark.parametrize("language", sorted(FOREIGN))
def test_another_language_is_named_and_what_was_not_read_is_said(language: str) -> None:
    reading = read_idea(FOREIGN[language])
    _assert_sound(reading)
    assert reading.language == language
    assert "only English is read in full" in reading.not_judged[0]


def test_things_are_still_found_in_german_spanish_and_french() -> None:
    assert "bienenstock" in _names(read_idea(FOREIGN["de"]))
    assert "herramienta" in _names(read_idea(FOREIGN["es"]))
    assert {"ruche", "inspection"} <= _names(read_idea(FOREIGN["fr"]))


@pytest.mark.parametrize("text", ILLEGAL)
def test_a_plan_for_something_illegal_is_found(text: str) -> None:
    assert read_idea(text).unlawful


@pytest.mark.parametrize("text", AGAINST_CRIME)
def test_speaking_of_a_crime_to_prevent_it_is_not_unlawful(text: str) -> None:
    assert read_idea(text).unlawful == ()


def test_the_example_ideas_and_samples_are_lawful() -> None:
    for text in (*example_texts().values(), *(sample.text for sample in SAMPLES)):
        assert read_idea(text).unlawful == ()


def test_a_huge_text_is_read_by_its_beginning_and_that_is_said() -> None:
    start = "Each kiln has a volume and a cone number. Potters log firings. "
    reading = read_idea(start + "The clay is wet and the wheel turns slowly today. " * 4000)
    assert "kiln" in _names(reading)
    assert "Only the first 60000 characters" in reading.not_judged[0]
    assert len(reading.sentences) <= 600


@pytest.mark.parametrize(
    "text",
    ["a" * 200_000, "a " * 100_000, ". " * 100_000, "<" * 200_000, "[" * 100_000, "**" * 100_000, "# " * 50_000,
     "```\n" * 40_000, "each hive has " * 15_000, "a, " * 60_000, "<script" * 30_000, "who " * 50_000],
    ids=lambda text: text[:8].strip(),
)  # fmt: skip
def test_a_hostile_text_is_read_all_the_same(text: str) -> None:
    _assert_sound(read_idea(text))


_WORDS = """
    each every a the hive hives has have records log logs with of for and , . ; : ( ) whether returned is in euros
    beekeepers who its their # - date name it's client's <b> </script> & é ß 中 🎉 ' " 12 % to that"""
_PIECES = st.sampled_from([*_WORDS.split(), "\n", "\n\n"])


@given(st.one_of(st.text(max_size=400), st.lists(_PIECES, max_size=80).map(" ".join)))
@settings(max_examples=400, deadline=None)
def test_reading_never_raises_and_the_same_text_reads_the_same(text: str) -> None:
    reading = read_idea(text)
    _assert_sound(reading)
    assert read_idea(text) == reading


def test_reading_is_the_same_in_another_process_with_another_hash_seed() -> None:
    code = (
        "import sys; from zts_worker.crews.reading import read_idea; "
        "sys.stdout.buffer.write(repr(read_idea(sys.stdin.buffer.read().decode())).encode())"
    )
    text = example_texts()["tool_lending"]
    told = [
        subprocess.run(
            [sys.executable, "-c", code],
            input=text.encode(),
            capture_output=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ""},
        ).stdout
        for seed in ("1", "2")
    ]
    assert told[0] == told[1]
    assert told[0].decode() == repr(read_idea(text))
