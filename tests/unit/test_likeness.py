"""When two ideas count as alike."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zts_core.likeness import BANDS, bands, likeness, words

TEXT = "Keepers record each inspection of a hive with the weather, the temper of the bees and the honey harvested."


def test_case_order_endings_and_function_words_do_not_count() -> None:
    assert words("The keepers of HIVES, with their Hive!") == ["keeper", "hive"]
    assert likeness(words("Bees and hives"), words("hive; BEES")) == 1.0


def test_no_words_are_like_no_words() -> None:
    assert likeness([], []) == 0.0
    assert bands([]) == ()


def test_scripts_without_spaces_are_compared_by_pairs_of_letters() -> None:
    mine, other = words("養蜂家のための点検記録アプリ"), words("養蜂家のための点検記録アプリです")
    assert likeness(mine, other) > 0.8
    assert set(bands(mine)) & set(bands(other))


def test_an_edited_idea_shares_a_band_with_what_it_was() -> None:
    edited = f"{TEXT} Photos are welcome."
    assert len(set(bands(words(TEXT))) & set(bands(words(edited)))) >= 1


def test_the_same_words_share_every_band_whatever_process_asks() -> None:
    assert bands(words(TEXT)) == bands(list(reversed(words(TEXT))))
    assert len(bands(words(TEXT))) == BANDS + 1
    assert bands(["hive"])[0] == "same:fecf55d3b82b33", "the names stand in Redis: other processes must find them"


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=400))
def test_any_text_has_words_and_bands(text: str) -> None:
    assert likeness(words(text), words(text)) in (0.0, 1.0)
    bands(words(text))


@pytest.mark.parametrize("other", ["A board game for blind players.", "An API that converts currencies every hour."])
def test_different_ideas_share_no_band(other: str) -> None:
    assert not set(bands(words(TEXT))) & set(bands(words(other)))
